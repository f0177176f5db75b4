"""The desk unit on its ESP32: what it is made of, and how it runs.

Source: MicroPython 1.28 ESP32 quick reference (`machine`).
"""

import asyncio
import sys

from board.base import Base
from board.button import Button
from desk_unit.unit import Unit

KNOWN = "known.bin"
"""The tags that the unit knows, see `desk_unit/known.py`."""


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


def run(config, starts, feed, running, trial) -> None:
    """Run the unit for ever; an exception is the end of it."""
    hardware = Hardware(config, starts, feed)
    hardware.running = running
    unit = Unit(config, hardware)
    if trial:
        from board.trial import see_through

        asyncio.create_task(see_through(unit, hardware))  # noqa: RUF006
    asyncio.run(unit.run())
