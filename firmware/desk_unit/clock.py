"""Time: uptime that never wraps, and the wall clock as far as the host has told it."""

from port import const, ticks_diff, ticks_ms

NONE = const(0)
HOST = const(1)

MIN_TIME = 1_700_000_000_000
MAX_TIME = 4_102_444_800_000
"""Unix milliseconds between which a time is believed (host_bridge/contract/facts.py)."""

_DRIFT_PPM = const(50)
_STEP_MS = const(60_000)
_STEP_PROOFS = const(3)


class Uptime:
    """Milliseconds since this object was made; never wraps.

    Call `now` at least every six days (half of `ticks_ms`' period of 2**30 ms).

    Args:
        ticks: A wrapping millisecond counter, as `port.ticks_ms`.
        diff: Its subtraction, as `port.ticks_diff`.
    """

    def __init__(self, ticks=ticks_ms, diff=ticks_diff) -> None:
        self._ticks = ticks
        self._diff = diff
        self._last = ticks()
        self._total = 0

    def now(self) -> int:
        """Milliseconds of uptime."""
        ticks = self._ticks()
        self._total += self._diff(ticks, self._last)
        self._last = ticks
        return self._total


class WallClock:
    """The host's clock, learned from the `time` in its messages.

    A message can only be late, so the largest offset seen is the best one. It is worn down by
    50 ppm, the most that two crystals drift apart, so that it can follow. A host whose clock was
    set back is believed when three messages in a row agree within a minute.

    Args:
        uptime: The unit's `Uptime`.
    """

    def __init__(self, uptime: Uptime) -> None:
        self._uptime = uptime
        self._offset = 0
        self._learned = 0
        self._lower = 0
        self.quality = NONE
        """`NONE`, or `HOST` once a believable time was learned."""

    def learn(self, time: int) -> None:
        """Take over the host's `time` (Unix ms) from a message that came just now."""
        if not MIN_TIME <= time <= MAX_TIME:
            return
        now = self._uptime.now()
        offset = time - now
        best = self._offset - (now - self._learned) * _DRIFT_PPM // 1_000_000
        if self.quality == NONE or offset >= best or self._is_step(offset, best):
            self._offset = offset
            self.quality = HOST
        else:
            self._offset = best
        self._learned = now
        if offset >= best:
            self._lower = 0

    def _is_step(self, offset: int, best: int) -> bool:
        if best - offset < _STEP_MS:
            self._lower = 0
            return False
        self._lower += 1
        return self._lower >= _STEP_PROOFS

    def at(self, up: int) -> int:
        """Unix milliseconds at uptime `up`; 0 as long as nothing is known."""
        if self.quality == NONE:
            return 0
        return max(MIN_TIME, min(MAX_TIME, up + self._offset))
