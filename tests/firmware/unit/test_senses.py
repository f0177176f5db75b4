"""The button's loop with a contact that bounces, in real time."""

import asyncio

from desk_unit.button import PRESS, ButtonSense
from port import sleep_ms, ticks_ms


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
