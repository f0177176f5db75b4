"""Time: uptime that never wraps, and the wall clock as far as host and SNTP have told it."""

from port import const, ticks_diff, ticks_ms

NONE = const(0)
HOST = const(1)
SNTP = const(2)

MIN_TIME = 1_700_000_000_000
MAX_TIME = 4_102_444_800_000
"""Unix milliseconds between which a time is believed (host_bridge/contract/facts.py)."""

_DRIFT_PPM = const(50)
_STEP_MS = const(60_000)
_STEP_PROOFS = const(3)
_FRESH_MS = const(14_400_000)


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
    """What the time is, by the host's messages and by SNTP.

    A message can only be late, so of the host's times the largest offset to the uptime is the
    best one. It is worn down by 50 ppm, the most that two crystals drift apart, so that it can
    follow. An SNTP answer is exact to half its round trip, and counts more than the host's
    messages for four hours.

    Neither may move the clock by more than a minute at once: such a time is believed only when
    three of the host's messages in a row agree on it within a minute. SNTP is never believed
    against the host, because anybody can answer its datagrams.

    Args:
        uptime: The unit's `Uptime`.
    """

    def __init__(self, uptime: Uptime) -> None:
        self._uptime = uptime
        self._known = False
        self._offset = 0
        self._learned = 0
        self._step = 0
        self._proofs = 0
        self._host_offset: "int | None" = None
        self._exact_at = 0
        self._exact = False
        self.disputed = False
        """Whether SNTP has lately told a time that the host contradicts."""

    @property
    def quality(self) -> int:
        """`NONE`, `HOST`, or `SNTP` for four hours after an answer."""
        if not self._known:
            return NONE
        return SNTP if self._is_exact() else HOST

    def learn(self, time: int) -> None:
        """Take over the host's `time` (Unix ms) from a message that came just now."""
        if not MIN_TIME <= time <= MAX_TIME:
            return
        now = self._uptime.now()
        offset = time - now
        if not self._known:
            self._set(offset, now)
        elif abs(offset - self._best(now)) >= _STEP_MS:
            self._consider(offset, now)
            return
        elif not self._is_exact():
            self._set(max(offset, self._best(now)), now)
        self._host_offset = offset
        self._proofs = 0

    def learn_exact(self, time: int, up: int) -> bool:
        """Take over an SNTP answer: it was `time` (Unix ms) at uptime `up`.

        Returns:
            Whether it was believed: it is not if it is a minute or more from the host's time.
        """
        if not MIN_TIME <= time <= MAX_TIME:
            return False
        offset = time - up
        self.disputed = (
            self._host_offset is not None and abs(offset - self._host_offset) >= _STEP_MS
        )
        if self.disputed:
            return False
        self._set(offset, up)
        self._exact_at = up
        self._exact = True
        return True

    def at(self, up: int) -> int:
        """Unix milliseconds at uptime `up`; 0 as long as nothing is known."""
        if not self._known:
            return 0
        return max(MIN_TIME, min(MAX_TIME, up + self._offset))

    def _set(self, offset: int, now: int) -> None:
        self._known = True
        self._offset = offset
        self._learned = now

    def _best(self, now: int) -> int:
        """The offset, worn down since it was learned."""
        return self._offset - (now - self._learned) * _DRIFT_PPM // 1_000_000

    def _is_exact(self) -> bool:
        return self._exact and self._uptime.now() - self._exact_at < _FRESH_MS

    def _consider(self, offset: int, now: int) -> None:
        """A step of the host's clock, or one message that was very late."""
        self._proofs = self._proofs + 1 if abs(offset - self._step) < _STEP_MS else 1
        self._step = offset
        if self._proofs >= _STEP_PROOFS:
            self.disputed = self._exact
            self._exact = False
            self._host_offset = offset
            self._proofs = 0
            self._set(offset, now)
