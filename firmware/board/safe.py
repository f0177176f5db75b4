"""Safe mode on the ESP32: link and flash; display and ring if they work."""

import asyncio

from board.base import Base
from desk_unit.safe import SafeUnit


class Hardware(Base):
    """What a `SafeUnit` is handed; the arguments are those of `Base`."""

    def show(self) -> None:
        """Say "safe mode" on ring and display, each if its driver, its bus and itself work."""
        for show in (_ring, _display):
            try:
                show()
            except Exception as error:
                self.log("safe mode: %s" % repr(error))


def run(config, starts, feed, running, trial) -> None:  # noqa: ARG001
    """Run in safe mode; an exception is the end of it. It passes no version's trial."""
    hardware = Hardware(config, starts, feed)
    hardware.running = running
    asyncio.run(SafeUnit(config, hardware).run())


def _ring() -> None:
    from board.front import ring_writer
    from desk_unit.face import NO_LINK
    from desk_unit.ring import PIXELS, Ring
    from drivers.ws2812 import WS2812

    Ring(WS2812(ring_writer(), PIXELS)).draw("safe", NO_LINK, 0)


def _display() -> None:
    import framebuf

    from board.front import display
    from desk_unit import screen

    glass = display()
    canvas = framebuf.FrameBuffer(glass.buffer, screen.WIDTH, screen.HEIGHT, framebuf.MONO_VLSB)
    glyphs = framebuf.FrameBuffer(bytearray(88), 88, 8, framebuf.MONO_VLSB)
    glass.start()
    screen.Screen(canvas, glyphs).draw("safe", 0)
    glass.show()
