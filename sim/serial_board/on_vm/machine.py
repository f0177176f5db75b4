"""MicroPython's `machine`, as far as the factory test uses it, with the parts behind the pins.

The reader answers its version register, the radar sends a report for every read, the display
acknowledges its address: enough to tell a part that is there from one that is missing.
"""

# Runs on MicroPython only: CPython's types do not fit.
# mypy: ignore-errors
# ruff: noqa: ARG002

import time

import parts

_FRAME = (
    b"\xf4\xf3\xf2\xf1\x0d\x00\x02\xaa\x00\x00\x00\x00\x00\x00\x00\x00\x00\x55\x00\xf8\xf7\xf6\xf5"
)
_BUTTON = 32
_callbacks = []


def at_reset(callback):
    """The simulator's: what to do before the chip restarts."""
    _callbacks.append(callback)


def reset():
    """Restart the chip: the simulator ends this process."""
    for callback in _callbacks:
        callback()
    while True:
        time.sleep(60)


def unique_id():
    """The MAC."""
    return parts.mac


class Pin:
    """A pin that knows what hangs on it."""

    IN, OUT = 1, 3

    def __init__(self, number, mode=IN, pull=None, value=None):
        self._number = number
        self._level = value
        self._mode = mode

    def value(self, level=None):
        """Read or set."""
        if level is not None:
            self._level = level
            return None
        if self._mode == self.OUT:
            return self._level
        return 0 if self._number == _BUTTON and not parts.has("button") else 1


class SPI:
    """The bus of the MFRC522."""

    def __init__(self, number, baudrate=1_000_000, sck=None, mosi=None, miso=None):
        pass

    def write_readinto(self, out, into):
        """Version 2.0 for its register; a missing chip leaves the line high."""
        for at in range(len(into)):
            asked = out[at - 1] if at else 0
            into[at] = 0x92 if parts.has("reader") and asked == (0x37 << 1 | 0x80) else 0xFF

    def deinit(self):
        """Nothing to free."""


class I2C:
    """The bus of the SSD1306."""

    def __init__(self, number, scl=None, sda=None, freq=400_000):
        pass

    def scan(self):
        """The addresses that acknowledge."""
        return [0x3C] if parts.has("display") else []


class UART:
    """The line of the LD2410."""

    def __init__(self, number, baudrate=9600, tx=None, rx=None, rxbuf=256):
        self._rate = baudrate

    def read(self):
        """One report, or None; noise when the speed is not the radar's."""
        if not parts.has("radar"):
            return None
        return _FRAME if self._rate == 256_000 else b"\x00\xff\x80"

    def deinit(self):
        """Nothing to free."""
