"""Safe mode on the ESP32: link, flash and the button; display and ring if they work."""

import asyncio

from board.base import Base
from desk_unit.safe import SafeUnit


class Hardware(Base):
    """What a `SafeUnit` is handed; the arguments are those of `Base`."""

    def __init__(self, config, starts, feed) -> None:
        super().__init__(config, starts, feed)
        self._front: "list | None" = None

    def contact(self):
        """The button's contact; whatever may be wrong with it is raised."""
        from board.button import Button

        return Button()

    def show(self, word: str, marks: int, now: int) -> None:
        """Say `word` on ring and display, each if its driver, its bus and itself work.

        Args:
            word: A word of `desk_unit/looks.py`.
            marks: As in `desk_unit/face.py`.
            now: Uptime in milliseconds.
        """
        if self._front is None:
            self._front = []
            for make in (_ring, _display):
                self._try(lambda make=make: self._front.append(make()))
        for draw in list(self._front):
            if not self._try(lambda draw=draw: draw(word, marks, now)):
                self._front.remove(draw)

    def _try(self, work) -> bool:
        try:
            work()
        except Exception as error:
            self.log("safe mode: %s" % repr(error))
            return False
        return True


def run(config, starts, feed, running, trial) -> None:  # noqa: ARG001
    """Run in safe mode; an exception is the end of it. It passes no version's trial."""
    hardware = Hardware(config, starts, feed)
    hardware.running = running
    asyncio.run(SafeUnit(config, hardware).run())


def _ring():
    from board.front import ring_writer
    from desk_unit.ring import PIXELS, Ring
    from drivers.ws2812 import WS2812

    return Ring(WS2812(ring_writer(), PIXELS)).draw


def _display():
    import framebuf

    from board.front import display
    from desk_unit import screen

    glass = display()
    canvas = framebuf.FrameBuffer(glass.buffer, screen.WIDTH, screen.HEIGHT, framebuf.MONO_VLSB)
    glyphs = framebuf.FrameBuffer(bytearray(88), 88, 8, framebuf.MONO_VLSB)
    glass.start()
    page = screen.Screen(canvas, glyphs)

    def draw(word: str, marks: int, _now: int) -> None:
        if page.draw(word, marks):
            glass.show()

    return draw
