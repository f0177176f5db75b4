"""Taps that wait for the host's verdict."""

from port import const

PATIENCE_MS = const(1_500)
"""Without a verdict for so long the unit shows what it has and says "provisional"."""

_MOST = const(8)


class Taps:
    """The tag facts of this boot that have no verdict yet, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int]] = []
        self._shown = 0

    def tapped(self, seq: int, now: int) -> None:
        """A tag fact was written, at uptime `now`."""
        if len(self._waiting) >= _MOST:
            self._waiting.pop(0)
        self._waiting.append((seq, now))

    def answered(self, seq: int) -> bool:
        """A verdict came; True if it is to be shown: even late, but never after a newer one."""
        self._waiting = [tap for tap in self._waiting if tap[0] != seq]
        if seq < self._shown:
            return False
        self._shown = seq
        return True

    def overdue(self, now: int) -> int:
        """Sequence number of a tap that has waited for too long, taken from the list; or 0."""
        if self._waiting and now - self._waiting[0][1] >= PATIENCE_MS:
            return self._waiting.pop(0)[0]
        return 0
