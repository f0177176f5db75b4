import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from host_bridge.web import live
from host_bridge.web.live import Event, Live


def run(test: Callable[[Live], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test(Live(lambda: [Event("floor", '"all"')])))


async def take(stream: AsyncIterator[str], count: int) -> list[str]:
    return [await asyncio.wait_for(anext(stream), 2) for _ in range(count)]


def identity(text: str) -> str:
    return text.splitlines()[0].removeprefix("id: ")


def data(texts: list[str]) -> list[str]:
    return [text.splitlines()[2].removeprefix("data: ") for text in texts]


def test_a_page_begins_with_the_present_state_and_then_hears_changes():
    async def story(it: Live) -> None:
        stream = it.stream(None)
        assert data((await take(stream, 2))[1:]) == ['"all"']
        it.publish(Event("floor", "1"))
        assert data(await take(stream, 1)) == ["1"]

    run(story)


def test_a_page_that_returns_soon_hears_only_what_it_missed():
    async def story(it: Live) -> None:
        for number in range(4):
            it.publish(Event("floor", str(number)))
        stream = it.stream(None)
        last = identity((await take(stream, 2))[1])
        await stream.aclose()
        it.publish(Event("floor", "later"))
        again = it.stream(last)
        assert data((await take(again, 2))[1:]) == ["later"]

    run(story)


@pytest.mark.parametrize(
    "last",
    ["", "-", "other-1", "{run}-", "{run}-x", "{run}-9999", "{run}-0", "{run}-²", "1" * 5000],
)
def test_a_page_that_returns_too_late_or_with_nonsense_begins_anew(last):
    async def story(it: Live) -> None:
        for number in range(live.KEPT + 5):
            it.publish(Event("floor", str(number)))
        stream = it.stream(last.format(run=it._run))
        assert data((await take(stream, 2))[1:]) == ['"all"']

    run(story)


def test_a_slow_page_takes_bounded_memory_and_gets_the_present_state_instead():
    async def story(it: Live) -> None:
        slow = it.stream(None)
        await take(slow, 2)
        for number in range(live.WAITING * 3):
            it.publish(Event("floor", str(number)))
        assert it.lagged == 1
        assert max(len(page._texts) for page in it._pages) <= live.WAITING
        assert data(await take(slow, 1)) == ['"all"']
        it.publish(Event("floor", "after"))
        assert data(await take(slow, 1)) == ["after"]

    run(story)


def test_a_silent_stream_says_that_it_is_alive(monkeypatch):
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.02)

    async def story(it: Live) -> None:
        stream = it.stream(None)
        assert (await take(stream, 3))[2].startswith("event: beat\n")

    run(story)


def test_closing_ends_every_stream_and_forgets_the_pages():
    async def story(it: Live) -> None:
        stream = it.stream(None)
        await take(stream, 2)
        waiting = asyncio.ensure_future(anext(stream, None))
        await asyncio.sleep(0)
        assert it.pages == 1
        it.close()
        assert await asyncio.wait_for(waiting, 2) is None
        assert it.pages == 0

    run(story)
