"""The desk unit on its ESP32: builds buses and chips from the pin map and starts the unit.

Sources: MicroPython 1.28 ESP32 quick reference (`machine`, `esp32.Partition`, `esp32.NVS`,
`network.WLAN`, `machine.bitstream`); worldsemi WS2812B data sheet for the pulse lengths.
"""

import asyncio
import os
import random
import sys

import esp32
import framebuf
import machine
import network

from board import pins
from desk_unit import screen
from desk_unit.config import Config, ConfigError
from desk_unit.ring import PIXELS
from desk_unit.unit import Unit
from drivers.buzzer import Buzzer
from drivers.ld2410 import LD2410
from drivers.mfrc522 import MFRC522
from drivers.ssd1306 import SSD1306
from drivers.ws2812 import WS2812
from port import const, sleep_ms, ticks_ms

CONFIG = "config.json"
"""In the root of the file system, which is where MicroPython starts."""

KNOWN = "known.bin"
"""The tags that the unit knows, see `desk_unit/known.py`."""

_WATCHDOG_MS = const(30_000)
_JOIN_MS = const(15_000)
_JOIN_LOOK_MS = const(100)
_VSPI = const(2)
_SPI_HZ = const(4_000_000)
_I2C_HZ = const(400_000)
_RADAR_BAUD = const(256_000)
_PWM_HZ = const(1_000)
_WS2812_NS = (400, 850, 800, 450)
"""High and low time of a 0, then of a 1, in nanoseconds."""


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


class Wifi:
    """The station interface.

    Args:
        ssid: Network name.
        password: Its password, or None for an open network.
    """

    def __init__(self, ssid: str, password) -> None:
        self._ssid = ssid
        self._password = password
        self._station = network.WLAN(network.WLAN.IF_STA)
        self._station.active(True)
        # Power saving would hold incoming messages back for up to 300 ms.
        self._station.config(pm=network.WLAN.PM_NONE)

    def is_up(self) -> bool:
        """Whether there is an address."""
        return self._station.isconnected()

    async def up(self) -> None:
        """Join the network, unless the driver has already done so by itself.

        Raises:
            OSError: It did not work within 15 s.
        """
        if self.is_up():
            return
        self._station.disconnect()
        self._station.connect(self._ssid, self._password)
        for _ in range(_JOIN_MS // _JOIN_LOOK_MS):
            await sleep_ms(_JOIN_LOOK_MS)
            if self.is_up():
                return
        raise OSError("Wi-Fi status %d" % self._station.status())


class File:
    """A small file that is replaced as a whole: littlefs renames in one step, whatever happens.

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
        with open(self._name + "~", "wb") as file:
            file.write(data)
        os.rename(self._name + "~", self._name)


class Hardware:
    """Everything that a `Unit` is handed.

    Args:
        config: The unit's `Config`.
    """

    def __init__(self, config) -> None:
        self.reader = _reader()
        self.radar = _radar()
        self.pixels = WS2812(_ring_writer(), PIXELS)
        self.display = _display()
        self.canvas = framebuf.FrameBuffer(
            self.display.buffer, screen.WIDTH, screen.HEIGHT, framebuf.MONO_VLSB
        )
        self.glyphs = framebuf.FrameBuffer(bytearray(88), 88, 8, framebuf.MONO_VLSB)
        self.button = Button()
        self.buzzer = Buzzer(_pwm(pins.BUZZER))
        self.lamp = _pwm(pins.BUTTON_LAMP)
        self.known = File(KNOWN)
        self.flashes = (_partition("journal"), _partition("button"))
        self.nvs = esp32.NVS("chequer")
        self.wifi = Wifi(config.ssid, config.wifi_password)
        self.open_stream = asyncio.open_connection
        self.random = lambda: random.getrandbits(16)
        self.cause = _cause()
        self.log = print
        self.feed = machine.WDT(timeout=_WATCHDOG_MS).feed


def run() -> None:
    """Run the unit for ever; whatever ends it resets the chip.

    Without a usable configuration nothing starts, and the prompt is left to whoever provisions.
    """
    try:
        with open(CONFIG) as file:
            config = Config(file.read(), CONFIG)
    except (OSError, ConfigError) as error:
        print("chequer: not started: %s" % error)
        return
    try:
        asyncio.run(Unit(config, Hardware(config)).run())
    except Exception as error:
        sys.print_exception(error)
    print("chequer: stopped, the chip is reset; facts are kept in flash")
    machine.reset()


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


def _display() -> SSD1306:
    return SSD1306(
        machine.I2C(0, scl=machine.Pin(pins.I2C_SCL), sda=machine.Pin(pins.I2C_SDA), freq=_I2C_HZ)
    )


def _pwm(gpio: int):
    return machine.PWM(machine.Pin(gpio, machine.Pin.OUT), freq=_PWM_HZ, duty_u16=0)


def _ring_writer():
    pin = machine.Pin(pins.RING_DATA, machine.Pin.OUT, value=0)
    return lambda data: machine.bitstream(pin, 0, _WS2812_NS, data)


def _partition(label: str):
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    return found[0] if found else None


def _cause() -> str:
    causes = {
        machine.PWRON_RESET: "power",
        machine.HARD_RESET: "hard",
        machine.WDT_RESET: "watchdog",
        machine.DEEPSLEEP_RESET: "deepsleep",
        machine.SOFT_RESET: "soft",
    }
    return causes.get(machine.reset_cause(), "unknown")
