"""The desk unit on its ESP32: what it is made of, and how it runs.

Source: MicroPython 1.28 ESP32 quick reference (`machine`).
"""

import asyncio
import sys

import machine

from board import pins
from board.base import Base
from desk_unit.unit import Unit
from port import ticks_ms

KNOWN = "known.bin"
"""The tags that the unit knows, see `desk_unit/known.py`."""


class Button:
    """The button's contact: closed pulls the pin low."""

    def __init__(self) -> None:
        self._pin = machine.Pin(pins.BUTTON, machine.Pin.IN)
        self._flag = asyncio.ThreadSafeFlag()
        self._edge = ticks_ms()
        self._pin.irq(self._on_edge, machine.Pin.IRQ_FALLING)

    def closed(self) -> bool:
        """Whether the contact is closed now."""
        return not self._pin.value()

    def wake(self) -> None:
        """End a `wait` as an edge would."""
        self._on_edge(self._pin)

    def clear(self) -> None:
        """Forget the edges so far."""
        self._flag.clear()

    async def wait(self) -> int:
        """Wait for an edge; returns its `port.ticks_ms`."""
        await self._flag.wait()
        return self._edge

    def _on_edge(self, _) -> None:
        # Runs from the scheduler between any two bytecodes: it allocates nothing.
        self._edge = ticks_ms()
        self._flag.set()


class File:
    """A small file that is replaced as a whole.

    LittleFS takes over what was written when the file is closed, not before: a power cut leaves the
    old content or the new. No renaming: after a cut in the middle of one, it can lose sight of
    another file until the next write.

    Args:
        name: Its name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def load(self) -> bytes:
        """What was saved last.

        Raises:
            OSError: Nothing was ever saved, or it can't be read.
        """
        with open(self._name, "rb") as file:
            return file.read()

    def save(self, data: bytes) -> None:
        """Replace it.

        Raises:
            OSError: It can't be written; what was saved before is still there.
        """
        with open(self._name, "wb") as file:
            file.write(data)


class Hardware(Base):
    """Everything that a `Unit` is handed; the arguments are those of `Base`."""

    def __init__(self, config, starts, feed) -> None:
        super().__init__(config, starts, feed)
        self.button = Button()
        self.known = File(KNOWN)
        # What builds the chips leaves the memory again.
        from board import chips

        try:
            chips.build(self, config)
        finally:
            del sys.modules["board.chips"]
            delattr(sys.modules["board"], "chips")


def run(config, starts, feed) -> None:
    """Run the unit for ever; an exception is the end of it."""
    asyncio.run(Unit(config, Hardware(config, starts, feed)).run())
