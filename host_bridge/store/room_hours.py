"""How full rooms were, hour by hour: what is kept of seat changes when they are deleted."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import Seat
from host_bridge.domain.room_hours import HOUR_MS, Change, fullness
from host_bridge.store.retention_tables import forgotten, room_hours

_decode = msgspec.json.Decoder(Seat).decode


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room of the plan, by its units."""

    name: str
    units: frozenset[str]


def keep(
    connection: sa.Connection, site: str, rooms: Sequence[Room], hour: int, changes: Sequence[Any]
) -> None:
    """Write how full rooms were in an hour, and in those before it in which nothing changed.

    Args:
        connection: within the transaction that deletes the seat changes.
        site: whose.
        rooms: of which to write.
        hour: when it began, Unix milliseconds.
        changes: the seat changes of that hour, as rows of the table of facts.
    """
    newest = sa.select(room_hours.c.room, sa.func.max(room_hours.c.hour_ms)).where(
        room_hours.c.site == site
    )
    last: dict[str, int] = dict(map(tuple, connection.execute(newest.group_by(room_hours.c.room))))
    # Facts that come so late change nothing that was written.
    missing = [room for room in rooms if last.get(room.name, 0) < hour]
    if not missing:
        return
    taken = _taken(connection, site)
    own = [Change(row.time_ms, row.unit, _decode(row.body).occupied) for row in changes]
    rows = [
        {"site": site, "room": room.name, "hour_ms": at, "highest": highest, "mean": mean}
        for room in missing
        for at, highest, mean in _hours(room, last.get(room.name), hour, (taken, own))
    ]
    connection.execute(sa.insert(room_hours), rows)


def _hours(
    room: Room, last: int | None, hour: int, seen: tuple[frozenset[str], Sequence[Change]]
) -> Iterator[tuple[int, int, float]]:
    taken, changes = seen[0] & room.units, [each for each in seen[1] if each.unit in room.units]
    for at in range(hour if last is None else last + HOUR_MS, hour, HOUR_MS):
        yield at, len(taken), float(len(taken))
    yield hour, *fullness(taken, changes, hour)


def _taken(connection: sa.Connection, site: str) -> frozenset[str]:
    """The units whose seats were occupied after what was deleted."""
    here = sa.and_(forgotten.c.site == site, forgotten.c.seat_seq > 0)
    query = sa.select(forgotten.c.unit, forgotten.c.occupied).where(here)
    rows = connection.execute(query.order_by(forgotten.c.boot)).all()
    found = {row.unit: row.occupied for row in rows}  # the last boot's stays
    return frozenset(unit for unit, occupied in found.items() if occupied)
