"""The seat: occupancy out of what the presence sensors say."""

from port import const

from .filters import Delay, Settle

OCCUPIED_MS = const(2_000)
"""Presence this long makes the seat occupied."""

VACANT_MS = const(10_000)
"""Absence this long makes it vacant."""

_SETTLE_MS = const(300)


class Seat:
    """Occupancy from presence: settled for 0.3 s, on after 2 s, off after 10 s in all."""

    def __init__(self) -> None:
        self._filters = (
            Settle(_SETTLE_MS),
            Delay(True, OCCUPIED_MS - _SETTLE_MS),
            Delay(False, VACANT_MS - _SETTLE_MS),
        )
        self.occupied = None
        """True, False, or None while nothing is known."""

    def feed(self, present, now: int) -> bool:
        """Take one reading; True when the seat has become occupied or vacant.

        Args:
            present: Whether somebody is there; None if no sensor can tell.
            now: Ticks of the reading.
        """
        for stage in self._filters:
            present = stage.feed(present, now)
        changed = present is not None and present != self.occupied
        self.occupied = present
        return changed
