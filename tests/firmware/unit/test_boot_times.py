"""Facts get their true time, also when it became known only afterwards, also across a reboot."""

import json

from desk_unit.boot_times import BootTimes
from desk_unit.clock import HOST, NONE, SNTP, Uptime, WallClock
from desk_unit.facts import Facts
from desk_unit.journal import Journal
from desk_unit.lane import Lane
from tests.firmware.unit.nor import Nor

NOON = 1_800_000_000_000


class Nvs:
    """Settings whose writes are counted."""

    def __init__(self):
        self.blobs = {}
        self.writes = 0
        self.broken = False

    def get_blob(self, key, buffer):
        if key not in self.blobs:
            raise OSError("ESP_ERR_NVS_NOT_FOUND")
        data = self.blobs[key]
        buffer[: len(data)] = data
        return len(data)

    def set_blob(self, key, value):
        if self.broken:
            raise OSError("ESP_FAIL")
        assert len(value) <= 88
        self.blobs[key] = bytes(value)
        self.writes += 1

    def commit(self):
        pass


class Start:
    """One start of a unit on flash and settings that stay."""

    def __init__(self, boot, flash, nvs):
        self.ticks = 0
        self.uptime = Uptime(lambda: self.ticks, lambda end, start: end - start)
        self.wall = WallClock(self.uptime)
        self.times = BootTimes(boot, self.uptime, self.wall, nvs)
        journal = Journal(flash)
        journal.mount()
        key = {"unit": "a1", "boot": boot, "uptime": self.uptime, "times": self.times}
        self.lane = Lane("fact", "ordinary", journal, **key)
        self.facts = Facts(self.lane, self.lane, self.uptime, self.wall)

    def sent(self):
        self.lane.rewind()
        message = json.loads(self.lane.message()[0])
        return message if isinstance(message, list) else [message]


def desk():
    return Nor(blocks=8, size=4096), Nvs()


def test_fact_before_the_first_synchronisation_gets_its_true_time_afterwards():
    start = Start(1, *desk())
    start.ticks = 10_000
    start.facts.seat(True)
    (fact,) = start.sent()
    assert "at" not in fact and "clock" not in fact
    start.ticks = 70_000
    start.wall.learn(NOON)
    (fact,) = start.sent()
    assert (fact["at"], fact["clock"]) == (NOON - 60_000, "host")
    start.wall.learn_exact(NOON + 300, 70_000)
    (fact,) = start.sent()
    assert (fact["at"], fact["clock"]) == (NOON - 59_700, "sntp")


def test_it_gets_it_across_a_reboot_too():
    flash, nvs = desk()
    first = Start(1, flash, nvs)
    first.ticks = 10_000
    first.facts.seat(True)
    first.ticks = 70_000
    first.wall.learn(NOON)
    first.times.keep()
    second = Start(2, flash, nvs)
    (fact,) = second.sent()
    assert (fact["boot"], fact["at"], fact["clock"]) == (1, NOON - 60_000, "host")
    assert "age" not in fact


def test_fact_of_a_boot_that_never_knew_the_time_says_so():
    flash, nvs = desk()
    first = Start(1, flash, nvs)
    first.facts.seat(True)
    first.times.keep()
    second = Start(2, flash, nvs)
    second.wall.learn(NOON)
    second.times.keep()
    (fact,) = second.sent()
    assert "at" not in fact and "clock" not in fact


def test_eight_boots_are_remembered_and_the_oldest_goes():
    flash, nvs = desk()
    for boot in range(1, 12):
        start = Start(boot, flash, nvs)
        start.wall.learn(NOON + boot)
        start.times.keep()
    times = Start(12, flash, nvs).times
    assert times.of(3, 50, 0, NONE) == (0, NONE)
    for boot in range(4, 12):
        assert times.of(boot, 50, 0, NONE) == (NOON + boot + 50, HOST)


def test_what_was_written_with_the_fact_counts_when_the_start_is_forgotten():
    flash, nvs = desk()
    assert Start(5, flash, nvs).times.of(1, 50, NOON, SNTP) == (NOON, SNTP)


def test_settings_are_written_seldom():
    start = Start(1, *desk())
    nvs = start.times._nvs
    start.times.keep()
    assert nvs.writes == 0
    for second in range(7_200):
        start.ticks = second * 1000
        start.wall.learn(NOON + second * 1007)  # a crystal that is 7 per mille off
        start.times.keep()
    assert 1 <= nvs.writes <= 3
    start.wall.learn_exact(start.wall.at(start.ticks), start.ticks)
    start.ticks += 3_600_000
    start.times.keep()
    start.times.keep()
    assert nvs.writes <= 4


def test_settings_that_can_not_be_written_do_no_harm():
    start = Start(1, *desk())
    start.times._nvs.broken = True
    start.wall.learn(NOON)
    start.times.keep()
    assert start.times.of(1, 5, 0, NONE) == (NOON + 5, HOST)


def test_garbage_in_the_settings_does_no_harm():
    flash, nvs = desk()
    for blob in (b"", b"x", bytes(88), b"\xff" * 88, b"\xff" * 60):
        nvs.blobs["starts"] = blob
        start = Start(1, flash, nvs)
        start.facts.seat(True)
        start.sent()
        start.wall.learn(NOON)
        start.times.keep()
