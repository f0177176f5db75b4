"""The live stream: server-sent events to any number of pages, each with bounded memory."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

KEPT = 256
"""Events that a page can catch up on after a short break."""

WAITING = 64
"""Events that may wait for one page. A slower page gets the present state instead."""

MAX_PAGES = 500
"""Open streams; more are refused."""

BEAT_SECONDS = 5.0
"""How often a silent stream says that it is alive."""

RETRY_MS = 2_000
"""When a browser connects again after a break."""


class Event(NamedTuple):
    """A kind (`floor`, `ledger`, `health`) and its JSON."""

    kind: str
    json: str


class Live:
    """Belongs to one event loop; everything is called in its thread.

    `lagged` counts how often a page was too slow.
    """

    def __init__(self, present: Callable[[], list[Event]]) -> None:
        """Nobody listens yet; `present` gives events that together hold the present state."""
        self.lagged = 0
        self._present = present
        self._run = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[tuple[int, Event]] = deque(maxlen=KEPT)
        self._pages: set[_Page] = set()
        self._closed = False

    @property
    def pages(self) -> int:
        """How many pages listen."""
        return len(self._pages)

    @property
    def is_full(self) -> bool:
        """Must further pages be refused?"""
        return len(self._pages) >= MAX_PAGES

    def publish(self, event: Event) -> None:
        """Send an event to every page."""
        self._number += 1
        self._kept.append((self._number, event))
        text = self._text(self._number, event)
        for page in self._pages:
            self.lagged += page.offer(text)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for page in self._pages:
            page.wake()

    async def stream(self, last_id: str | None) -> AsyncIterator[str]:
        """What one page receives: what it missed after `last_id`, or all, then what comes."""
        page = _Page()
        self._pages.add(page)
        try:
            yield f"retry: {RETRY_MS}\n\n"
            missed = self._since(last_id)
            for text in self._all() if missed is None else missed:
                yield text
            while not self._closed:
                text = await page.take()
                if page.is_behind():
                    for present in self._all():
                        yield present
                elif not self._closed:
                    yield text or "event: beat\ndata: {}\n\n"
        finally:
            self._pages.discard(page)

    def _all(self) -> list[str]:
        return [self._text(self._number, event) for event in self._present()]

    def _since(self, last_id: str | None) -> list[str] | None:
        """The events after an id of this run, None when that can't be said any more."""
        run, _, number = (last_id or "").partition("-")
        # Not more digits than int() takes kindly, and ASCII ones only.
        if run != self._run or not (number.isascii() and number.isdecimal() and len(number) < 16):
            return None
        last = int(number)
        oldest = self._kept[0][0] if self._kept else self._number + 1
        if not oldest - 1 <= last <= self._number:
            return None
        return [self._text(number, event) for number, event in self._kept if number > last]

    def _text(self, number: int, event: Event) -> str:
        return f"id: {self._run}-{number}\nevent: {event.kind}\ndata: {event.json}\n\n"


class _Page:
    """One page's queue."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._ready = asyncio.Event()
        self._behind = False

    def offer(self, text: str) -> bool:
        """Queue a text; True when there was no room and the page fell behind."""
        self._ready.set()
        if self._behind:
            return False
        if len(self._texts) < WAITING:
            self._texts.append(text)
            return False
        self._texts.clear()
        self._behind = True
        return True

    def wake(self) -> None:
        """Let `take` return."""
        self._ready.set()

    def is_behind(self) -> bool:
        """Did it fall behind since this was last asked?"""
        behind, self._behind = self._behind, False
        return behind

    async def take(self) -> str:
        """The next text; empty when none came for a while."""
        if not self._texts and not self._behind:
            self._ready.clear()
            try:
                await asyncio.wait_for(self._ready.wait(), BEAT_SECONDS)
            except TimeoutError:
                return ""
        return self._texts.popleft() if self._texts else ""
