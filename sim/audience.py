"""Those who look at a simulated unit: queues of what happens to it, and who waits for a sight."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

_QUIET_S = 0.03
_QUEUE = 1000
_LINES = 100

Event = dict[str, Any]


class Audience:
    """Everybody who looks at one unit.

    Args:
        display: reads the display's lines; asked only when somebody watches.
    """

    def __init__(self, display: Callable[[], Any]) -> None:
        self.lines: list[str] = []
        """The firmware's last hundred lines."""
        self._display = display
        self._watchers: set[asyncio.Queue[Event]] = set()
        self._waiters: set[asyncio.Event] = set()
        self._glance: asyncio.TimerHandle | None = None

    async def wait(self, fulfilled: Callable[[], object], seconds: float) -> None:
        """Wait until something is to be seen.

        Raises:
            TimeoutError: it was not within so many seconds.
        """
        change = asyncio.Event()
        self._waiters.add(change)
        try:
            async with asyncio.timeout(seconds):
                while not fulfilled():
                    await change.wait()
                    change.clear()
        finally:
            self._waiters.discard(change)

    @contextlib.contextmanager
    def watch(self) -> Iterator[asyncio.Queue[Event]]:
        """A queue of events; who falls a thousand behind loses the oldest."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_QUEUE)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)

    def tell(self, event: Event) -> None:
        """Something has happened."""
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)
        if "console" not in event:
            self.look()

    def print(self, line: str) -> None:
        """The firmware has printed a line."""
        self.lines.append(line)
        del self.lines[:-_LINES]
        self.tell({"console": line})

    def draw(self) -> None:
        """The display changes. A picture comes in many messages: tell it once they have stopped."""
        if self._glance:
            self._glance.cancel()
        self._glance = asyncio.get_running_loop().call_later(_QUIET_S, self._tell_display)

    def look(self) -> None:
        """Let those who wait look again."""
        for waiter in self._waiters:
            waiter.set()

    def _tell_display(self) -> None:
        if self._watchers:  # reading a picture takes ten milliseconds
            self.tell({"display": self._display()})
        self.look()
