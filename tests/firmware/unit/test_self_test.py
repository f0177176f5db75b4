"""Every chip is tested at least once a minute while it works, in virtual time."""

import asyncio

from desk_unit import panel, senses
from desk_unit.chips import Chips
from drivers.fault import ChipFault

MINUTE_MS = 60_000


class Clock:
    """Virtual milliseconds in place of a module's own; the third minute is the last."""

    def __init__(self, module):
        self.now = 0
        self._module = module
        self._real = module.sleep_ms, getattr(module, "ticks_ms", None)

    def __enter__(self):
        self._module.sleep_ms = self.sleep_ms
        if self._real[1]:
            self._module.ticks_ms = self.ticks_ms
        return self

    def __exit__(self, *_):
        self._module.sleep_ms = self._real[0]
        if self._real[1]:
            self._module.ticks_ms = self._real[1]

    def ticks_ms(self):
        return self.now

    async def sleep_ms(self, ms):
        self.now += ms
        if self.now > 3 * MINUTE_MS:
            raise AssertionError("nobody has tested it")
        await asyncio.sleep(0)


class Chip:
    """Any chip; from the first minute on its self-test fails. Nothing else tells."""

    chip = "radar"

    def __init__(self, clock):
        self._clock = clock
        self.tests = 0

    def start(self):
        pass

    async def uids(self):
        return []

    def poll(self, _now):
        return None

    async def refresh(self):
        pass

    def contrast(self, level):
        pass

    def check(self, _now=0):
        self.tests += 1
        if self._clock.now >= MINUTE_MS:
            raise ChipFault("chip", "fails its self-test")


async def noticed(chip, clock, work):
    """How often it was tested in its good minute, and after how long it was noticed."""
    try:
        await work()
    except ChipFault:
        return chip.tests - 1, clock.now - MINUTE_MS
    raise AssertionError("its task ended")


async def test_the_reader_is_tested_every_minute_and_its_failure_noticed_within_one():
    with Clock(senses) as clock:
        chip = Chip(clock)
        sense = senses.TagSense(chip, None, None, lambda _: None)
        tests, ms = await noticed(chip, clock, sense.run)
    assert tests >= 1 and ms <= MINUTE_MS
    assert ms <= 2_500, "it is every other second, in fact"


async def test_a_presence_sensor_is_tested_every_minute_and_its_failure_noticed_within_one():
    def report(chip, ok, reason):
        raise ChipFault(chip, reason)

    with Clock(senses) as clock:
        sensor = Chip(clock)
        keeper = Chips(report, lambda _: None, lambda _: None)
        sense = senses.SeatSense(sensor, (sensor,), lambda _: None, keeper)
        tests, ms = await noticed(sensor, clock, sense.run)
    assert tests >= 1 and ms <= MINUTE_MS
    assert ms <= 1_100, "it is every second, in fact"


async def test_the_display_is_tested_every_minute_and_its_failure_noticed_within_one():
    class Blank:
        def fill(self, *_):
            pass

    class Hardware:
        pass

    with Clock(panel) as clock:
        chip = Chip(clock)
        hardware = Hardware()
        hardware.display = chip
        hardware.canvas = hardware.glyphs = Blank()
        hardware.pixels = hardware.buzzer = hardware.lamp = None
        front = panel.Panel(hardware)
        tests, ms = await noticed(chip, clock, lambda: front.show(clock.ticks_ms, lambda: None))
    assert tests >= 1 and ms <= MINUTE_MS
    assert ms <= 2_500, "it is every other second, in fact"
