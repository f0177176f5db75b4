"""Chips that fail, and what is told about it."""

import asyncio

from desk_unit.chips import Chips


class Gone(Exception):
    reason = "no answer"


class Bench:
    """Lets a chip fail while memory is short, then while it is not."""

    def __init__(self):
        self.told = []
        self.short = False
        self.chips = Chips(self.report, lambda _: None, lambda _: None)

    def report(self, chip, ok, reason):
        if self.short:
            raise MemoryError
        self.told.append((chip, ok, reason))

    async def fail(self):
        async def work():
            raise Gone

        try:
            await asyncio.wait_for(self.chips.keep("rfid", work), 0.05)
        except (MemoryError, asyncio.TimeoutError):
            pass


def test_a_failure_that_could_not_be_reported_is_reported_the_next_time():
    bench = Bench()
    bench.short = True
    asyncio.run(bench.fail())
    bench.short = False
    asyncio.run(bench.fail())
    asyncio.run(bench.fail())
    assert bench.told == [("rfid", False, "no answer")]


def test_a_recovery_that_could_not_be_reported_is_reported_the_next_time():
    bench = Bench()
    asyncio.run(bench.fail())
    bench.short = True
    try:
        bench.chips.works("rfid")
    except MemoryError:
        pass
    bench.short = False
    bench.chips.works("rfid")
    bench.chips.works("rfid")
    assert bench.told == [("rfid", False, "no answer"), ("rfid", True, "")]
