"""The loops: the button's with a contact that bounces, in real time, and the sensors' tests."""

import asyncio

from desk_unit.button import PRESS
from desk_unit.chips import Chips
from desk_unit.senses import ButtonSense, SeatSense
from drivers.fault import ChipFault
from port import block_ms, sleep_ms, ticks_diff, ticks_ms


class Contact:
    """Edges set an event, as the interrupt sets a flag."""

    def __init__(self):
        self._event = asyncio.Event()
        self._closed = False
        self._edge = 0

    def closed(self):
        return self._closed

    def wake(self):
        self._edge = ticks_ms()
        self._event.set()

    def clear(self):
        self._event.clear()

    async def wait(self):
        await self._event.wait()
        self._event.clear()
        return self._edge

    async def bounce(self, closed):
        for _ in range(4):
            self._closed = not self._closed
            if self._closed:
                self.wake()
            await sleep_ms(1)
        self._closed = closed
        if closed:
            self.wake()


async def pressed(contact, presses, missed=False):
    """Events that the loop reports while `presses` bouncing presses are made."""
    events = []
    sense = ButtonSense(contact, lambda event, _: events.append(event))
    tasks = [asyncio.create_task(sense.run())]
    tasks.append(asyncio.create_task(sense.guard(lambda _: None)))
    await sleep_ms(5)
    for _ in range(presses):
        if missed:
            contact._closed = True
            await sleep_ms(250)
        else:
            await contact.bounce(True)
            await sleep_ms(60)
        await contact.bounce(False)
        await sleep_ms(80)
    for task in tasks:
        task.cancel()
    return events


async def test_bounces_of_a_release_are_no_second_press():
    assert await pressed(Contact(), 2) == [PRESS, PRESS]


async def test_press_whose_interrupt_was_lost_is_found():
    assert await pressed(Contact(), 1, True) == [PRESS]


async def told(contact, close, ms):
    """Events, and how long after the end of a stall, when the contact closes in it."""
    events = []
    sense = ButtonSense(contact, lambda event, _: events.append((event, ticks_ms())))
    tasks = [asyncio.create_task(sense.run())]
    tasks.append(asyncio.create_task(sense.guard(lambda _: None)))
    await sleep_ms(40)
    began = ticks_ms()
    block_ms(60)
    close(contact, sense, began)
    ended = ticks_ms()
    await sleep_ms(ms)
    contact._closed = False
    await sleep_ms(100)
    for task in tasks:
        task.cancel()
    return [(event, ticks_diff(at, ended)) for event, at in events]


async def test_a_press_that_came_and_went_while_the_program_stood_still_is_one():
    # The ESP32 calls the handler when the stall is over: that is the time the edge is given.
    events = await told(Contact(), lambda contact, *_: contact.wake(), 0)
    assert [event for event, _ in events] == [PRESS]


async def test_a_press_that_came_while_flash_was_erased_is_felt_at_its_end():
    def erased(contact, sense, began):
        contact._closed = True
        contact.wake()
        sense.held(began)

    events = await told(Contact(), erased, 60)
    assert [event for event, _ in events] == [PRESS]
    assert events[0][1] <= 0


async def test_a_press_during_an_erase_whose_interrupt_was_lost_ends_as_any_other():
    contact = Contact()
    sense = ButtonSense(contact, lambda *_: None)
    tasks = [asyncio.create_task(sense.run())]
    began = ticks_ms()
    block_ms(20)
    contact._closed = True
    sense.held(began)
    assert sense.active
    await sleep_ms(20)
    contact._closed = False
    await sleep_ms(100)
    assert not sense.active
    for task in tasks:
        task.cancel()


class Sensor:
    """Says what it is told to; broken while it has a reason."""

    def __init__(self, chip):
        self.chip = chip
        self.reason = ""

    def check(self, _now):
        if self.reason:
            raise ChipFault(self.chip, self.reason)


def sensing(*chips):
    """A seat's loop with these sensors, and what it tells of them."""
    told = []
    sensors = tuple(Sensor(chip) for chip in chips)
    keeper = Chips(lambda *words: told.append(words), lambda _: None, lambda _: None)
    return SeatSense(None, sensors, lambda _: None, keeper), sensors, told, keeper


def test_broken_sensor_is_told_of_once_and_again_when_it_has_passed_five_tests_in_a_row():
    sense, (sensor,), told, keeper = sensing("pir")
    sense._test(0, 0)
    sensor.reason = "stuck"
    for _ in range(3):
        sense._test(0, 0)
    assert told == [("pir", False, "stuck")]
    sensor.reason = ""
    for _ in range(5):
        sense._test(0, 0)
    assert len(told) == 1
    assert keeper.faults == {"pir": "stuck"}
    sense._test(0, 0)
    assert told[1:] == [("pir", True, "")]
    assert not keeper.faults


def test_sensor_that_passes_a_test_now_and_then_does_not_fill_the_journal():
    sense, (sensor,), told, _ = sensing("radar")
    for second in range(300):
        sensor.reason = "" if second % 5 == 0 else "sends only garbage"
        sense._test(0, 0)
    assert told == [("radar", False, "sends only garbage")]


def test_sensors_are_told_of_one_by_one():
    sense, (radar, switch), told, keeper = sensing("radar", "seat-switch")
    switch.reason = "loose"
    for _ in range(2):
        for i in range(2):
            sense._test(i, 0)
    radar.reason = "silent"
    for i in range(2):
        sense._test(i, 0)
    assert told == [("seat-switch", False, "loose"), ("radar", False, "silent")]
    assert keeper.faults == {"seat-switch": "loose", "radar": "silent"}
