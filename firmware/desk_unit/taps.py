"""Taps that wait for the host's verdict."""

from port import const

PATIENCE_MS = const(1_500)
"""Without a verdict for so long the unit shows what it has and says "provisional"."""

OFFLINE_MS = const(200)
"""The same without a connection, over which a verdict could come."""

_MOST = const(8)


class Taps:
    """The latest tags of this boot that have no verdict of the host, oldest first."""

    def __init__(self) -> None:
        # (sequence number, uptime, hash); the uptime is None once the unit has helped itself.
        self._waiting: list[tuple] = []
        self._shown = 0

    def tapped(self, seq: int, now: int, digest: bytes) -> None:
        """A tag fact was written, at uptime `now`; an empty `digest` stands for no verdict."""
        if len(self._waiting) >= _MOST:
            self._waiting.pop(0)
        self._waiting.append((seq, now, digest))

    def answered(self, seq: int):
        """A verdict came.

        Returns:
            (whether it is to be shown: even late, but never after a newer one; the tag's hash,
            empty if there is none).
        """
        digest = b""
        for tap in self._waiting:
            if tap[0] == seq:
                digest = tap[2]
        self._waiting = [tap for tap in self._waiting if tap[0] != seq]
        if seq < self._shown:
            return False, digest
        self._shown = seq
        return True, digest

    def overdue(self, now: int, patience: int = PATIENCE_MS):
        """(sequence number, hash) of a tap that has waited for too long, each once; or None."""
        for i in range(len(self._waiting)):
            seq, at, digest = self._waiting[i]
            if at is not None and now - at >= patience:
                self._waiting[i] = (seq, None, digest)
                return seq, digest
        return None
