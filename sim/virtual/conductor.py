"""The conductor: owns virtual time and lets everything happen in one order.

Things happen in the order of (time, rank, order of being planned): each unit has a rank, so that
units that do something in the same moment have an order; nothing looks at a real clock. Times
are microseconds since the site began.
"""

import heapq
from collections.abc import Callable

EPOCH_US = 1_780_304_400_000_000
"""The Unix time at which every site begins: Monday, 1 June 2026, 9:00 UTC."""

NEVER = 1 << 60


class Planned:
    """Something that will happen; `cancel` takes it back."""

    __slots__ = ("at", "work")

    def __init__(self, at: int, work: Callable[[], None]) -> None:
        self.at = at
        self.work: Callable[[], None] | None = work

    def cancel(self) -> None:
        """It won't happen."""
        self.work = None


class Conductor:
    """Time and what is planned in it.

    Attributes:
        now: microseconds since the site began.
        horizon: no later than this may somebody from outside (a story) act next.
    """

    def __init__(self) -> None:
        self.now = 0
        self.horizon = NEVER
        self._planned: list[tuple[int, int, int, Planned]] = []
        self._order = 0

    def at(self, when: int, work: Callable[[], None], rank: int = 0) -> Planned:
        """Let `work` happen at this time, now at the earliest; of a moment the least rank first."""
        self._order += 1
        planned = Planned(max(when, self.now), work)
        heapq.heappush(self._planned, (planned.at, rank, self._order, planned))
        return planned

    def after(self, delay: int, work: Callable[[], None]) -> Planned:
        """Let `work` happen so many microseconds from now."""
        return self.at(self.now + delay, work)

    def unix_us(self) -> int:
        """The time of the host's clock, Unix microseconds."""
        return EPOCH_US + self.now

    def unix_ms(self) -> int:
        """The same in milliseconds."""
        return (EPOCH_US + self.now) // 1000

    def following(self) -> int:
        """When the next thing happens; `NEVER` when nothing is planned."""
        while self._planned and self._planned[0][-1].work is None:
            heapq.heappop(self._planned)
        return self._planned[0][0] if self._planned else NEVER

    def run(self, until: int, interrupted: Callable[[], bool]) -> None:
        """Let time pass up to `until`, or until somebody outside has something to do."""
        self.horizon = until
        while not interrupted():
            at = self.following()
            if at > until:
                self.now = max(self.now, until)
                return
            planned = heapq.heappop(self._planned)[-1]
            self.now = planned.at
            work, planned.work = planned.work, None
            assert work is not None
            work()
