"""How full a room was in an hour: the highest and the mean number of its occupied desks."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

HOUR_MS = 3_600_000


class Change(NamedTuple):
    """A seat became occupied or vacant; `time_ms` in Unix milliseconds."""

    time_ms: int
    unit: str
    occupied: bool


class Fullness(NamedTuple):
    """Occupied desks: at the most, and in the mean, to a tenth."""

    highest: int
    mean: float


def hour_of(time_ms: int) -> int:
    """The beginning of the hour."""
    return time_ms - time_ms % HOUR_MS


def fullness(taken: Collection[str], changes: Iterable[Change], hour_ms: int) -> Fullness:
    """What an hour came to.

    Args:
        taken: the units whose seats were occupied when it began.
        changes: of the same room's units within the hour, in any order.
        hour_ms: when it began.
    """
    now, since, together = set(taken), hour_ms, 0
    highest = len(now)
    for change in sorted(changes):
        together += len(now) * (change.time_ms - since)
        since = change.time_ms
        (now.add if change.occupied else now.discard)(change.unit)
        highest = max(highest, len(now))
    together += len(now) * (hour_ms + HOUR_MS - since)
    return Fullness(highest, round(together / HOUR_MS, 1))
