"""Filters, alone and composed, against what they say they do."""

import gc
import random

from desk_unit.filters import Delay, Settle
from port import ticks_add

PERIOD = ticks_add(0, -1) + 1  # of the interpreter's ticks: 2**30, on the VM 2**62


def DelayOn(ms):
    return Delay(True, ms)


def DelayOff(ms):
    return Delay(False, ms)


KINDS = (DelayOn, DelayOff, Settle)


def run(stage, readings):
    """Output at each (time, value)."""
    return [stage.feed(value, now) for now, value in readings]


def test_delay_on_holds_back_a_rise_and_passes_a_fall_at_once():
    readings = [(0, False), (10, True), (59, True), (60, True), (70, False), (80, True)]
    assert run(DelayOn(50), readings) == [False, False, False, True, False, False]


def test_delay_off_holds_back_a_fall_and_passes_a_rise_at_once():
    readings = [(0, True), (10, False), (59, False), (60, False), (70, True), (80, False)]
    assert run(DelayOff(50), readings) == [True, True, True, False, True, True]


def test_settle_ignores_what_flickers():
    readings = [(0, False), (50, False), (60, True), (80, False), (90, True), (139, True)]
    readings += [(140, True), (150, False), (190, True)]
    assert run(Settle(50), readings) == [None, False, False, False, False, False, True, True, True]


def test_filter_of_no_time_passes_everything_at_once():
    readings = [(0, True), (1, False), (2, None), (3, True), (3, False)]
    for kind in KINDS:
        assert run(kind(0), readings) == [value for _, value in readings]


def test_unknown_passes_every_filter_at_once_and_what_follows_has_to_last_again():
    for kind in KINDS:
        stage = kind(50)
        run(stage, [(0, kind is DelayOn), (100, kind is DelayOn)])
        assert stage.feed(None, 110) is None
        held = kind is not DelayOff
        assert run(stage, [(120, held), (169, held), (170, held)]) == [None, None, held]


class Reference:
    """What a filter should say, from the whole history and in time that never wraps."""

    def __init__(self, kind, ms):
        self.held = {DelayOn: (True,), DelayOff: (False,), Settle: (True, False)}[kind]
        self.ms = ms
        self.history = []
        self.output = None

    def feed(self, value, now):
        self.history.append((now, value))
        began = now
        for when, then in reversed(self.history):
            if then is not value:
                break
            began = when
        if value not in self.held or now - began >= self.ms:
            self.output = value
        return self.output


def test_filters_agree_with_their_definition_for_random_readings_across_the_wrap():
    random.seed(1)
    for turn in range(60):
        kind, ms = KINDS[turn % 3], random.getrandbits(7)
        stage, reference = kind(ms), Reference(kind, ms)
        offset = PERIOD - 2000
        now = 0
        for _ in range(80):
            now += random.getrandbits(6)
            value = (True, True, True, False, False, False, None)[random.getrandbits(8) % 7]
            expected = reference.feed(value, now)
            assert stage.feed(value, ticks_add(offset, now)) is expected, (kind, ms, now)


def test_value_that_lasts_through_a_pause_of_days_has_lasted():
    for kind in KINDS:
        held = kind is not DelayOff
        for pause in (PERIOD // 2 + 5, PERIOD - 5):
            stage = kind(1000)
            stage.feed(held, 0)
            assert stage.feed(held, pause) is held, (kind, pause)


def test_nothing_is_allocated_when_filters_are_fed():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not count
    stages = (Settle(20), DelayOn(30), DelayOff(50))
    turns = list(range(0, 600, 7))
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for now in turns:
        value = now % 100 < 60
        for stage in stages:
            value = stage.feed(value, now)
    used = gc.mem_alloc() - before
    gc.enable()
    assert used == 0, used
