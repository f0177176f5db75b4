"""Put before the firmware's main.py on the simulated board: says when things happened, by the VM.

World and firmware share one clock here, the VM's, so no other process's scheduling is measured.
Prints `probe WHAT MICROSECONDS` to the console: `contact` (the button's first closure), `felt`
(ring, click and lamp are there), `card` (laid into the field), `uid` (read and hashed), `verdict`
(heard and on the ring, after the host's word), `provisional` (the host did not answer in time).
Keeps a backlog on the ordinary lane, and lets the display change eight times a second.
"""

import asyncio
import time

import circuit
import parts
import wiring

from desk_unit import facts, panel, tags

_BACKLOG = 60
_made = []
_touched = []


def _say(what):
    print("probe %s %d" % (what, time.ticks_us()))


def _drive(gpio, level, inner=circuit.drive):
    if gpio == wiring.BUTTON and not level and _touched:
        _touched.clear()  # what follows is its bounce
        _say("contact")
    inner(gpio, level)


def _finger(ms, inner=parts.press):
    _touched.append(ms)
    return inner(ms)


def _put(uid, inner=parts.put):
    _say("card")
    inner(uid)


def _hash(self, uid, inner=tags.TagHash.__call__):
    digest = inner(self, uid)
    if len(uid) in (4, 7, 10):
        _say("uid")
    return digest


def _press(self, boot, seq, now, inner=panel.Panel.press):
    inner(self, boot, seq, now)
    _say("felt")


def _judge(self, word, now, provisional=False, inner=panel.Panel.judge):
    inner(self, word, now, provisional)
    _say("provisional" if provisional else "verdict")


def _boot(self, *args, inner=facts.Facts.boot):
    _made.append(self)
    return inner(self, *args)


def _face(self, hardware, inner=panel.Panel.__init__):
    inner(self, hardware)
    asyncio.create_task(_busy(self.face))  # noqa: RUF006 (MicroPython's loop holds on to it)


async def _busy(face):
    """A backlog that never ends, and something new to see."""
    step = 0
    while True:
        step += 1
        face.guidance = ("free", "reserved")[step & 1]
        lane = _made[0]._ordinary
        for _ in range(4 if lane.journal.waiting < _BACKLOG else 0):
            _made[0].seat(bool(step & 1))
        await asyncio.sleep_ms(125)


circuit.drive = _drive
parts.press = _finger
parts.put = _put
tags.TagHash.__call__ = _hash
panel.Panel.press = _press
panel.Panel.judge = _judge
panel.Panel.__init__ = _face
facts.Facts.boot = _boot
