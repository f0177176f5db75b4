"""asyncio in virtual time: whoever awaits a sleep lets the conductor run meanwhile."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from sim.virtual.conductor import NEVER, Conductor

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Where asyncio would wait for input, time passes."""

    def __init__(self, conductor: Conductor) -> None:
        super().__init__()
        self._conductor = conductor
        self.loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        """Nothing ever comes in from outside."""
        if timeout is None or timeout > 0:
            self._conductor.run(self.loop.next_timer(), self.loop.is_busy)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a conductor's time."""

    def __init__(self, conductor: Conductor) -> None:
        selector = _Selector(conductor)
        super().__init__(selector)
        selector.loop = self
        self._conductor = conductor
        self._clock_resolution = 1e-6  # what is due within a microsecond is due

    def time(self) -> float:
        """Seconds since the site began."""
        return self._conductor.now / 1e6

    def next_timer(self) -> int:
        """When asyncio has something to do next, microseconds."""
        scheduled = cast("list[asyncio.TimerHandle]", self._scheduled)  # type: ignore[attr-defined]
        return round(scheduled[0].when() * 1e6) if scheduled else NEVER

    def is_busy(self) -> bool:
        """Whether asyncio has something to do at once."""
        return bool(self._ready) or self._stopping  # type: ignore[attr-defined]


def run(conductor: Conductor, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end in virtual time."""
    loop = VirtualLoop(conductor)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
