"""How long to wait before connecting again, so that a fleet does not come all at once."""

from port import const

_FIRST_MS = const(2_000)
_LAST_MS = const(10_000)
_LEAST_MS = const(100)


class Backoff:
    """Full jitter: any time from 0.1 s up to a limit of 2 s that doubles to 10 s.

    The first limit spreads units that lose their broker in the same moment; the last one is how
    long a unit stays away at the most once the broker is back.

    Args:
        random: Function that returns 16 random bits.
    """

    def __init__(self, random) -> None:
        self._random = random
        self._limit = _FIRST_MS

    def next(self) -> int:
        """Milliseconds to wait before the next attempt."""
        delay = _LEAST_MS + ((self._limit - _LEAST_MS) * self._random() >> 16)
        self._limit = min(_LAST_MS, self._limit * 2)
        return delay

    def reset(self) -> None:
        """The connection was good: begin anew with the next loss."""
        self._limit = _FIRST_MS
