"""Server-sent events to a few pages, each with bounded memory."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

MOST_PAGES = 16
"""Open pages; more are refused."""

_WAITING = 200
_BEAT_S = 5.0

Event = tuple[str, Any]
"""A kind, and what is sent as JSON."""


class Stream:
    """Belongs to one event loop.

    Args:
        present: gives the events that together hold the present state, for a page that opens and
            for one that fell behind.
    """

    def __init__(self, present: Callable[[], list[Event]]) -> None:
        self._present = present
        self._pages: set[_Page] = set()
        self._closed = False

    @property
    def pages(self) -> int:
        """How many listen."""
        return len(self._pages)

    def publish(self, kind: str, data: Any) -> None:
        """Send to every page."""
        if self._pages:
            text = _text((kind, data))
            for page in self._pages:
                page.offer(text)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for page in self._pages:
            page.ready.set()

    async def listen(self) -> AsyncIterator[str]:
        """What one page receives."""
        page = _Page()
        self._pages.add(page)
        try:
            while not self._closed:
                if page.behind:
                    page.behind = False
                    for event in self._present():
                        yield _text(event)
                while page.texts:
                    yield page.texts.popleft()
                if page.behind:
                    continue
                page.ready.clear()
                try:
                    await asyncio.wait_for(page.ready.wait(), _BEAT_S)
                except TimeoutError:
                    yield _text(("beat", {}))
        finally:
            self._pages.discard(page)


class _Page:
    """What waits for one page; a page that is too slow gets the present state instead."""

    def __init__(self) -> None:
        self.texts: deque[str] = deque()
        self.ready = asyncio.Event()
        self.behind = True

    def offer(self, text: str) -> None:
        self.ready.set()
        if self.behind:
            return
        if len(self.texts) >= _WAITING:
            self.texts.clear()
            self.behind = True
        else:
            self.texts.append(text)


def _text(event: Event) -> str:
    kind, data = event
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
