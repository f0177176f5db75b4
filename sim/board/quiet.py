"""Takes the firmware's sleeps over, so that rounds at which nothing happens may be left out.

What real time (`doze.py`) and virtual time (`sim/virtual/on_vm/idle.py`) have in common.
"""

from asyncio import core

import quiet_front
import quiet_presence
import quiet_reader
import rounds

_HAPPENINGS = (
    "_press",
    "_tag",
    "_sat",
    "_chip",
    "restart",
    "heard",
    "sent",
    "stored",
    "verdict",
    "guidance",
    "told",
    "state",
)
"""Methods of `Unit` after which there may be something to show or to keep."""
_TOUCHES = (
    ("rfid", ("put", "take", "fault")),
    ("presence", ("radar", "seat", "motion", "fault")),
    ("guard", ("press", "button", "fault")),
)


def install(stir):
    """Take over what is common; `stir()` is called before whatever happens in the unit."""
    from desk_unit import button, panel, senses, unit

    senses.sleep_ms = _senses_sleep
    button.sleep_ms = _button_sleep
    panel.sleep_ms = _panel_sleep
    for name in _HAPPENINGS:
        rounds.wrap(unit.Unit, name, lambda _unit: stir())
    rounds.wrap(unit.Unit, "_forever", _know)  # `run` has been called already in real time


def touched(what):
    """The world does something to the board: whoever looks at that wakes."""
    for name, words in _TOUCHES:
        if any(word in what for word in words):
            rounds.wake(name)


def _know(unit):
    if rounds.unit:
        return
    rounds.unit = unit
    quiet_reader.know(unit._hardware.reader)
    quiet_presence.know(unit._seat.seat)


def _senses_sleep(ms):
    return {60: quiet_reader, 50: quiet_presence}.get(ms, core).sleep_ms(ms)


def _button_sleep(ms):
    return quiet_front.guard_sleep_ms(ms) if ms == 25 else core.sleep_ms(ms)


def _panel_sleep(ms):
    return quiet_front.show_sleep_ms(ms) if ms == 50 else core.sleep_ms(ms)
