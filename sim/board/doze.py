"""Lets a unit at which nothing happens do its rounds once a second, for fleets of hundreds.

The unit's rounds (reader, radar, the button's guard, ring, display) are short sleeps without end.
While the world does nothing to a chip, and the host says nothing, a round sees what the last one
saw: then several of its sleeps become one. Whatever happens ends that sleep at the next point of
the round's own grid, where it would have looked anyway, so nothing is seen later than without, and
the facts are the same; a test holds both against each other. What differs: between two happenings
a ring that moves stands still, self-tests come as much more rarely as rounds do, and the radar's
reports that nobody reads are left out.

Rounds are told apart by the coroutines that run them. Where the firmware has others, those are
left as they are.
"""

import asyncio
import sys
import time
from asyncio import core

import circuit
import control
import parts
import sensors
import wiring

_LONG_MS = 900  # the radar's driver calls 1.5 s of silence a fault
_SHORTEST_MS = 20  # what is shorter is part of a round

_LIVELY_MS = {"reader": 2_000, "radar": 12_000, "guard": 3_000, "front": 11_000}
"""For how long rounds go on as usual after a happening: a tag that leaves, a seat that turns vacant
(10 s), a contact that comes to rest, what is shown longest ("seen", 10 s)."""

_ROUNDS = (
    ("senses", "TagSense", "run", "reader"),
    ("senses", "SeatSense", "run", "radar"),
    ("button", "ButtonSense", "guard", "guard"),
    ("unit", "Unit", "_tick", "front"),
    ("panel", "Panel", "show", "front"),
)
_MODULES = ("senses", "button", "unit", "panel")
_HAPPENINGS = (
    ("panel", "Panel", ("press", "judge")),
    ("unit", "Unit", ("guidance", "told", "sent", "stored")),
    ("rest", "Rest", ("seat",)),
    ("taps", "Taps", ("tapped",)),
)
"""Methods after which there may be something new to show."""
_TOUCHES = {
    "put": "reader",
    "take": "reader",
    "radar": "radar",
    "seat": "radar",
    "press": "guard",
    "button": "guard",
}

_rounds = {}
"""A task's id -> (its kind, the object whose round it is)."""
_until = {}
"""Kind -> ticks until which its rounds go on as usual."""
_asleep = {}
"""A task's id -> (task, its kind, when it fell asleep, its period)."""
_unit = None
_queue = core._task_queue  # noqa: SLF001 (asyncio has no other way to wake a task earlier)


class _Sleep:
    """Several of a round's sleeps in one; `stir` may end it earlier."""

    def __init__(self, kind, period, total):
        self._kind = kind
        self._period = period
        self._total = total

    def __iter__(self):
        return self

    def __next__(self):
        task = core.cur_task
        if self._period:
            began = core.ticks()
            _asleep[id(task)] = (task, self._kind, began, self._period)
            _queue.push(task, core.ticks_add(began, self._total))
            self._period = 0
            return
        _asleep.pop(id(task), None)
        if self._kind == "radar":
            sensors.skip_reports()
        raise StopIteration


def stir(kind):
    """Something has happened: rounds of this kind go on as usual for a while."""
    _until[kind] = time.ticks_add(time.ticks_ms(), _LIVELY_MS[kind])
    for key, (task, of, began, period) in list(_asleep.items()):
        if of == kind:
            del _asleep[key]
            gone = core.ticks_diff(core.ticks(), began)
            _queue.remove(task)
            _queue.push(task, core.ticks_add(began, (gone // period + 1) * period))


def touched(command):
    """The world has done something to the board (see `control.obey`)."""
    if "radar" in command:
        sensors.skip_reports()  # the last one says how it was before
    for word in command:
        if word in _TOUCHES:
            stir(_TOUCHES[word])
        elif word in ("fault", "air"):
            for kind in _LIVELY_MS:
                stir(kind)


def sleep_ms(ms):
    """Takes the place of a round's `sleep_ms`."""
    kind, owner = _rounds.get(id(core.cur_task), (None, None))
    if kind is None or ms < _SHORTEST_MS or not _calm(kind):
        return core.sleep_ms(ms)
    total = _LONG_MS // ms * ms
    if kind == "guard":  # it takes looks that come late for a program that stood still
        owner._due = time.ticks_add(time.ticks_ms(), total)  # noqa: SLF001 (nobody else knows)
    return _Sleep(kind, ms, total)


def _calm(kind):
    if time.ticks_diff(_until[kind], time.ticks_ms()) > 0:
        return False
    if kind == "reader":
        return parts.reader_works()
    if kind == "radar":
        return sensors.radar_rests()
    if kind == "guard":
        return circuit.levels[wiring.BUTTON] == 1
    return _unit is not None and _unit._link.connected  # noqa: SLF001 (nobody else knows)


def _takes_part(kind, method):
    async def round(self, *args):
        global _unit
        if hasattr(self, "_link"):
            _unit = self
        _rounds[id(core.cur_task)] = (kind, self)
        try:
            await method(self, *args)
        finally:
            _rounds.pop(id(core.cur_task), None)

    return round


def _stirs(method):
    def happening(self, *args):
        stir("front")
        return method(self, *args)

    return happening


def _install(run):
    """Take over what is loaded by now; `run` is the program's whole coroutine."""
    modules = {name: sys.modules.get("desk_unit." + name) for name in _MODULES}
    if None in modules.values():  # safe mode
        return run
    for kind in _LIVELY_MS:
        stir(kind)
    for name, owner, method, kind in _ROUNDS:
        of = getattr(modules[name], owner)
        setattr(of, method, _takes_part(kind, getattr(of, method)))
        modules[name].sleep_ms = sleep_ms
    for name, owner, methods in _HAPPENINGS:
        of = getattr(sys.modules["desk_unit." + name], owner)
        for method in methods:
            setattr(of, method, _stirs(getattr(of, method)))
    return run


def install():
    """From the firmware's `asyncio.run` on."""
    start, obey = asyncio.run, control.obey

    def run(program):
        return start(_install(program))

    def obey_awake(command):
        touched(command)
        return obey(command)

    asyncio.run, control.obey = run, obey_awake
