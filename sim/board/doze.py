"""Lets a unit at which nothing happens do its rounds once a second, for fleets of hundreds.

In real time a sleep that goes on too long would be seen (the radar's driver calls 1.5 s of silence
a fault), so each ends after 0.9 s. Whatever happens ends it at the next point of the round's own
grid, where it would have looked anyway: nothing is seen later than without, and the facts are the
same; a test holds both against each other. What differs: self-tests come as much more rarely as
rounds do, the radar's reports that nobody reads are left out, and a ring pattern without an end
stands still. How rounds are left out: `rounds.py`; which of them: `quiet.py` and its neighbours.
"""

import asyncio
import sys
from asyncio import core

import control
import quiet
import quiet_front
import rounds
import sensors

_LONG_MS = 900


def _tick_sleep(ms):
    return quiet_front.tick_sleep_ms(ms) if ms == 50 else core.sleep_ms(ms)


def _touched(command):
    """The world has done something to the board (see `control.obey`)."""
    if rounds.unit is None:
        return
    if "radar" in command:
        sensors.skip_reports()  # the last one says how it was before
    quiet.touched(command)
    if "fault" in command or "air" in command:
        _stir()


def _stir():
    rounds.wake("tick", "show")


def _install():
    """Take over what is loaded by now."""
    unit = sys.modules.get("desk_unit.unit")
    if unit is None:  # safe mode
        return
    rounds.longest_ms = _LONG_MS
    unit.sleep_ms = _tick_sleep
    quiet.install(_stir)


def install():
    """From the firmware's `asyncio.run` on."""
    start, obey = asyncio.run, control.obey

    def run(program):
        _install()
        return start(program)

    def obey_awake(command):
        _touched(command)
        return obey(command)

    asyncio.run, control.obey = run, obey_awake
