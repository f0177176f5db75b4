"""The conductor's order of things, and asyncio on its time."""

import asyncio

from sim.virtual import loop
from sim.virtual.conductor import Conductor


def test_things_happen_by_time_then_rank_then_order_of_being_planned() -> None:
    conductor, done = Conductor(), []
    for at, rank, name in ((20, 0, "e"), (10, 2, "c"), (10, 1, "b"), (10, 2, "d"), (5, 9, "a")):
        conductor.at(at, lambda name=name: done.append(name), rank)  # type: ignore[misc]
    conductor.run(30, lambda: False)
    assert "".join(done) == "abcde"
    assert conductor.now == 30


def test_what_was_taken_back_does_not_happen() -> None:
    conductor, done = Conductor(), []
    conductor.at(1, lambda: done.append(1)).cancel()
    conductor.run(5, lambda: False)
    assert done == []


def test_a_year_of_sleep_is_over_at_once_and_exact() -> None:
    conductor = Conductor()

    async def story() -> list[float]:
        loop_ = asyncio.get_running_loop()
        seen = [loop_.time()]
        await asyncio.sleep(365 * 86_400)
        seen.append(loop_.time())
        async with asyncio.timeout(1):
            await asyncio.gather(asyncio.sleep(0.25), asyncio.sleep(0.000_000_3))
        seen.append(loop_.time())
        return seen

    assert loop.run(conductor, story()) == [0.0, 31_536_000.0, 31_536_000.25]


def test_a_timeout_fires_when_its_time_has_come_in_virtual_time() -> None:
    async def story() -> str:
        try:
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        except TimeoutError:
            return f"after {asyncio.get_running_loop().time():.0f} s"
        return "never"

    assert loop.run(Conductor(), story()) == "after 10 s"
