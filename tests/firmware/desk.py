"""A desk for tests on CPython: what `board.desk.Hardware` is on the chip, without chips."""

import asyncio
import json
import random
import time
from typing import Any

from desk_unit.config import Config
from desk_unit.ram_flash import RamFlash
from desk_unit.starts import Starts
from desk_unit.unit import Unit
from drivers.buzzer import Buzzer
from port import ticks_ms
from tests.firmware.host import SITE, UNIT

KEY = "000102030405060708090a0b0c0d0e0f"
UID = bytes.fromhex("04a1b2c3d4e5f6")


class FaultError(Exception):
    """As drivers.fault.ChipFault."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Chip:
    """Reader, sensor, pixels, display and canvas in one: what the test sets is what they say."""

    def __init__(self, chip: str = "") -> None:
        self.chip = chip
        self.present: list[bytes] = []
        self.polls = 0
        self.state = 0
        self.fault = ""
        self.brightness = 255
        self.level = 207
        self.picture = [(0, 0, 0)] * 8
        self.shown: list[tuple[float, list[tuple[int, int, int]]]] = []
        self.line = ""
        self.lines: list[str] = []

    def start(self) -> None:
        self.check()

    def check(self, _now: int = 0) -> None:
        if self.fault:
            raise FaultError(self.fault)

    def contrast(self, level: int) -> None:
        self.level = level

    async def uids(self) -> list[bytes]:
        self.check()
        self.polls += 1
        return list(self.present)

    def poll(self, _now: int) -> bool | None:
        return None if self.fault else self.state != 0

    def set(self, i: int, r: int, g: int, b: int) -> None:
        self.picture[i] = (r, g, b)

    def fill(self, *_: int) -> None:
        self.picture = [(0, 0, 0)] * 8
        self.lines = []

    def show(self) -> None:
        self.check()
        self.shown.append((time.monotonic(), list(self.picture)))

    async def refresh(self) -> None:
        self.check()

    def text(self, text: str, *_: int) -> None:
        self.line = text

    def pixel(self, *_: int) -> bool:
        return False


class Canvas(Chip):
    """Shares its lines with the glyphs that are drawn for it."""


class Glyphs(Chip):
    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas

    def fill(self, *_: int) -> None:
        pass

    def text(self, text: str, *_: int) -> None:
        self._canvas.lines.append(text)


class Button:
    """A contact that the test closes."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._closed = False
        self._edge = 0

    def closed(self) -> bool:
        return self._closed

    def wake(self) -> None:
        self._edge = ticks_ms()
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    async def wait(self) -> int:
        await self._event.wait()
        self._event.clear()
        return self._edge

    async def press(self, seconds: float = 0.06) -> None:
        self._closed = True
        self.wake()
        await asyncio.sleep(seconds)
        self._closed = False


class Pwm:
    """Buzzer or lamp: what it was told."""

    def __init__(self) -> None:
        self.hz = 0
        self.level = 0
        self.tones: list[tuple[float, int]] = []

    def init(self, *, freq: int, duty_u16: int) -> None:
        self.hz, self.level = freq, duty_u16
        self.tones.append((time.monotonic(), freq))

    def duty_u16(self, level: int) -> None:
        self.level = level


class File:
    """A small file."""

    def __init__(self) -> None:
        self.data: bytes | None = None

    def load(self) -> bytes:
        if self.data is None:
            raise OSError("not found")
        return self.data

    def save(self, data: bytes) -> None:
        self.data = data


class Nvs:
    """Settings that survive as long as the object."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}
        self._blobs: dict[str, bytes] = {}

    def get_i32(self, key: str) -> int:
        if key not in self._values:
            raise OSError("not found")
        return self._values[key]

    def set_i32(self, key: str, value: int) -> None:
        self._values[key] = value

    def get_blob(self, key: str, buffer: bytearray) -> int:
        blob = self._blobs.get(key)
        if blob is None:
            raise OSError("not found")
        buffer[: len(blob)] = blob
        return len(blob)

    def set_blob(self, key: str, value: bytes) -> None:
        self._blobs[key] = bytes(value)

    def commit(self) -> None:
        pass


class Wifi:
    """An access point within reach, or not."""

    def __init__(self) -> None:
        self.present = True

    def is_up(self) -> bool:
        return self.present

    async def up(self) -> None:
        if not self.present:
            raise OSError("no access point")


class Desk:
    """The hardware of one unit, and starts of its firmware on it."""

    def __init__(self, port: int) -> None:
        fields = {
            "site": SITE,
            "unit": UNIT,
            "site_key": KEY,
            "wifi": {"ssid": "x"},
            "broker": {"host": "127.0.0.1", "port": port},
        }
        self.config = Config(json.dumps(fields))
        self.reader, self.pixels, self.display = (Chip() for _ in range(3))
        self.presence = self.radar = Chip("radar")
        self.sensors = (self.radar,)
        self.canvas = Canvas()
        self.canvas.fill_rect = lambda *_: None  # type: ignore[attr-defined]
        self.glyphs = Glyphs(self.canvas)
        self.flashes = (RamFlash(64), RamFlash(16))
        self.nvs = Nvs()
        self.tone, self.lamp = Pwm(), Pwm()
        self.known = File()
        self.wifi = Wifi()
        self.cause = "power"
        self.fed = 0
        self.resets = 0
        self.lines: list[str] = []
        self.random = lambda: random.getrandbits(16)
        self.resolve = lambda name, port: (name, port)
        self.connect = asyncio.open_connection
        self.open_udp: Any = None
        self.clock_set: list[int] = []
        self.set_clock = self.clock_set.append
        self.button = Button()
        self.buzzer = Buzzer(self.tone)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def feed(self) -> None:
        self.fed += 1

    def reset(self) -> None:
        self.resets += 1

    def start(self) -> Unit:
        """A fresh start of the firmware on what flash and settings hold."""
        self.button = Button()
        self.starts = Starts(self.nvs)
        self.starts.begin()
        self.buzzer = Buzzer(self.tone)
        return Unit(self.config, self)


async def until(condition: Any, seconds: float = 20.0) -> None:
    """Wait until `condition()` is true."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("it did not happen")


async def end(tasks: set["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until all have ended.

    Python's `wait_for` forgets a cancellation that comes in the very moment in which its inner
    task is done (mended in 3.12), so that asking once is not enough. One that is asked a hundred
    times and goes on is a defect.
    """
    for _ in range(100):
        pending = [task for task in tasks if not task.done()]
        if not pending:
            return
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.1)
    raise TimeoutError(f"these tasks do not end: {pending}")
