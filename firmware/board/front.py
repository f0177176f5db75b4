"""What a person at the desk sees: the display's chip and the ring's wire.

Sources: MicroPython 1.28 ESP32 quick reference (`machine.bitstream`); worldsemi WS2812B data sheet
for the pulse lengths.
"""

import machine

from board import pins
from drivers.ssd1306 import SSD1306
from port import const

_I2C_HZ = const(400_000)
_WS2812_NS = (400, 850, 800, 450)
"""High and low time of a 0, then of a 1, in nanoseconds."""


def display() -> SSD1306:
    """The display, not yet started."""
    return SSD1306(
        machine.I2C(0, scl=machine.Pin(pins.I2C_SCL), sda=machine.Pin(pins.I2C_SDA), freq=_I2C_HZ)
    )


def ring_writer():
    """A function that sends bytes to the ring."""
    pin = machine.Pin(pins.RING_DATA, machine.Pin.OUT, value=0)
    return lambda data: machine.bitstream(pin, 0, _WS2812_NS, data)
