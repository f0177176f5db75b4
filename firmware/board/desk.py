"""The desk unit on its ESP32: builds buses and chips from the pin map and runs the unit.

Source: MicroPython 1.28 ESP32 quick reference (`machine`).
"""

import asyncio

import framebuf
import machine

from board import pins
from board.base import Base
from board.front import display, ring_writer
from desk_unit import screen
from desk_unit.ring import PIXELS
from desk_unit.unit import Unit
from drivers.buzzer import Buzzer
from drivers.ld2410 import LD2410
from drivers.mfrc522 import MFRC522
from drivers.ws2812 import WS2812
from port import const, ticks_ms

KNOWN = "known.bin"
"""The tags that the unit knows, see `desk_unit/known.py`."""

_VSPI = const(2)
_SPI_HZ = const(4_000_000)
_RADAR_BAUD = const(256_000)
_PWM_HZ = const(1_000)


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
        self.reader = _reader()
        self.radar = _radar()
        self.pixels = WS2812(ring_writer(), PIXELS)
        self.display = display()
        self.canvas = framebuf.FrameBuffer(
            self.display.buffer, screen.WIDTH, screen.HEIGHT, framebuf.MONO_VLSB
        )
        self.glyphs = framebuf.FrameBuffer(bytearray(88), 88, 8, framebuf.MONO_VLSB)
        self.button = Button()
        self.buzzer = Buzzer(_pwm(pins.BUZZER))
        self.lamp = _pwm(pins.BUTTON_LAMP)
        self.known = File(KNOWN)


def run(config, starts, feed, running, trial) -> None:
    """Run the unit for ever; an exception is the end of it."""
    hardware = Hardware(config, starts, feed)
    hardware.running = running
    unit = Unit(config, hardware)
    if trial:
        from board.trial import see_through

        asyncio.create_task(see_through(unit, hardware))  # noqa: RUF006
    asyncio.run(unit.run())


def _reader() -> MFRC522:
    spi = machine.SPI(
        _VSPI,
        baudrate=_SPI_HZ,
        sck=machine.Pin(pins.RFID_SCK),
        mosi=machine.Pin(pins.RFID_MOSI),
        miso=machine.Pin(pins.RFID_MISO),
    )
    chip_select = machine.Pin(pins.RFID_CS, machine.Pin.OUT, value=1)
    return MFRC522(spi, chip_select, machine.Pin(pins.RFID_RST, machine.Pin.OUT, value=1))


def _radar() -> LD2410:
    # UART 1, away from its default pins 9 and 10, which belong to the flash.
    return LD2410(
        machine.UART(
            1,
            baudrate=_RADAR_BAUD,
            rx=machine.Pin(pins.RADAR_RX),
            tx=machine.Pin(pins.RADAR_TX),
            rxbuf=512,
        )
    )


def _pwm(gpio: int):
    return machine.PWM(machine.Pin(gpio, machine.Pin.OUT), freq=_PWM_HZ, duty_u16=0)
