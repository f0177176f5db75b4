"""The floor plan: where each desk's tile lies in the drawing."""

from dataclasses import dataclass

import numpy as np

from host_bridge.domain.floor import DeskView, RoomView

TILE = 100.0
"""A tile's side in drawing units."""

SPACING = 116.0
"""From the centre of a tile to the nearest other one's, in drawing units, at least."""

MARGIN = 6.0
"""Around the tiles, in drawing units: room for a focus ring."""

LEAST_METRES = 0.3
"""Desks drawn closer than this count as this far apart, or one mistake would shrink them all."""

NAME_LENGTH = 8
"""Characters of a desk's name that fit on its tile; the title has all."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A desk and the upper left corner of its tile."""

    desk: DeskView
    x: float
    y: float

    @property
    def label(self) -> str:
        """The desk's name as it fits."""
        name = self.desk.name
        return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"


@dataclass(frozen=True, slots=True)
class Plan:
    """A drawing of a room, in drawing units."""

    width: float
    height: float
    tiles: tuple[Tile, ...]


def draw(room: RoomView) -> Plan:
    """Lay a room's desks out to scale.

    No two tiles overlap, unless their desks are drawn closer than `LEAST_METRES`.
    """
    points = np.array([(desk.x, desk.y) for desk in room.desks], dtype=np.float64)
    corners = (points - points.min(axis=0)) * (SPACING / _nearest(points)) + MARGIN
    width, height = corners.max(axis=0) + TILE + MARGIN
    tiles = (
        Tile(desk, round(float(x), 1), round(float(y), 1))
        for desk, (x, y) in zip(room.desks, corners, strict=True)
    )
    # Reading order: whoever steps through the plan goes row by row.
    ordered = sorted(tiles, key=lambda tile: (tile.y, tile.x))
    return Plan(round(float(width), 1), round(float(height), 1), tuple(ordered))


def _nearest(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    """The least distance of two desks in metres.

    The greater of both axes counts: squares of that side do not overlap.
    """
    least = np.inf
    for index in range(len(points) - 1):
        apart = np.abs(points[index + 1 :] - points[index]).max(axis=1)
        least = min(least, float(apart.min()))
    return max(least, LEAST_METRES) if np.isfinite(least) else 1.0
