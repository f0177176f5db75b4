"""The copper between the ESP32 and its parts: where the `machine` shims and the chip models meet.

`parts.py` puts the parts in, the shims look them up. Everything runs in one thread, on asyncio's
loop; an interrupt handler runs through the scheduler, as on the ESP32.
"""

import asyncio
import sys

from micropython import schedule

RISING = 1
FALLING = 2
"""Edges, with the values of the ESP32's `Pin.IRQ_RISING` and `IRQ_FALLING`."""

name = "unit"
cause = 1
air_present = True
"""What the parent told: the unit's name, the reset's cause, whether the access point is there."""

levels = {}
"""GPIO -> the level that a part drives onto it, or a function that returns it."""

handlers = {}
"""GPIO -> (interrupt handler, edges, pin)."""

hears = {}
"""GPIO -> function(level) of the part that listens; for PWM, (hertz, duty) or 0 when silent."""

spi = {}
"""Chip-select GPIO -> chip with `transfer(bytes) -> bytes`."""

selected = set()
"""Chip-select GPIOs that are low now."""

i2c = {}
"""Address -> function(bytes) that takes a message."""

uart = {}
"""The ESP32's RX GPIO -> (chip with `any`, `readinto`, `write`, its baud rate)."""

strips = {}
"""GPIO -> function(bytes) of the LED strip behind it."""

outputs = {}
"""Name -> JSON text of an output that changed since it was last reported."""

changed = asyncio.Event()


def drive(gpio, level):
    """A part puts a level onto a pin: an interrupt handler may follow.

    An interrupt that finds the scheduler's queue full is lost, as on the chip.
    """
    if levels.get(gpio) == level:
        return
    levels[gpio] = level
    handler = handlers.get(gpio)
    if handler and handler[1] & (RISING if level else FALLING):
        try:
            schedule(handler[0], handler[2])
        except RuntimeError:
            pass


def put_out(name, text):
    """An output has this state now (JSON text); the control task will report it."""
    outputs[name] = text
    changed.set()


def tell(text):
    """Say one line of JSON to the process that started this machine."""
    sys.stdout.write("@sim ")
    sys.stdout.write(text)
    sys.stdout.write("\n")
