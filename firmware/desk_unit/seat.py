"""The seat: filters that compose, and the chain that makes occupancy out of radar states.

A filter's `feed(value, now)` returns the filtered value; values are True, False or None
(unknown, which passes at once). Times are ticks of `port`.
"""

from port import const, ticks_diff

OCCUPIED_MS = const(2_000)
"""Presence this long makes the seat occupied."""

VACANT_MS = const(10_000)
"""Absence this long makes it vacant."""

_SETTLE_MS = const(300)


class Delay:
    """Lets a change to `value` through once it has lasted `ms`; all else passes at once.

    Args:
        value: The value that is held back: True gives a delay-on, False a delay-off.
        ms: For how long.
    """

    def __init__(self, value: bool, ms: int) -> None:
        self._value = value
        self._ms = ms
        self._since: "int | None" = None
        self._output: "bool | None" = None

    def feed(self, value, now: int):
        """The filtered value; None until a first value has lasted."""
        if value != self._value:
            self._since = None
            self._output = value
        elif self._output != value:
            if self._since is None:
                self._since = now
            if ticks_diff(now, self._since) >= self._ms:
                self._output = value
        return self._output


class Settle:
    """Changes its output only to a value that has not changed for `ms`.

    Args:
        ms: How long a value must last.
    """

    def __init__(self, ms: int) -> None:
        self._ms = ms
        self._output: "bool | None" = None
        self._candidate: "bool | None" = None
        self._since = 0

    def feed(self, value, now: int):
        """The filtered value; None until a first value has settled."""
        if value is None:
            self._output = self._candidate = None
        elif value == self._output:
            self._candidate = None
        elif value != self._candidate:
            self._candidate = value
            self._since = now
        elif ticks_diff(now, self._since) >= self._ms:
            self._output = value
            self._candidate = None
        return self._output


class Seat:
    """Occupancy from the radar's state: settled for 0.3 s, on after 2 s, off after 10 s in all.

    Args:
        filters: The chain, in the order in which values pass; None for the usual one.
    """

    def __init__(self, filters=None) -> None:
        self._filters = filters or (
            Settle(_SETTLE_MS),
            Delay(True, OCCUPIED_MS - _SETTLE_MS),
            Delay(False, VACANT_MS - _SETTLE_MS),
        )
        self.occupied = None
        """True, False, or None while nothing is known."""

    def feed(self, present, now: int) -> bool:
        """Take one reading; True when the seat has become occupied or vacant.

        Args:
            present: Whether the radar sees somebody; None if it does not work.
            now: Ticks of the reading.
        """
        for stage in self._filters:
            present = stage.feed(present, now)
        changed = present is not None and present != self.occupied
        self.occupied = present
        return changed
