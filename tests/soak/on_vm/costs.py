"""What the unit's work costs on the real chip, charged to the virtual clock.

In virtual time work takes no time at all. Here each operation that takes a millisecond or more on
the ESP32, and each that is done often, lets its time pass: buses by their speed, flash by its data
sheet (W25Q32JV: page program 0.4 ms, sector erase 45 ms, both typical), bytecode by the time that
it takes on this VM times 136. That factor is asyncio's: it wakes a task in 322 us on an ESP32 at
160 MHz (published measurement of a hundred tasks) and in 2.4 us here.

The same figures stand in docs/firmware.md, "What holds the program up".
"""

import time

PASS = 322
PIXEL = 16
RECT = 40
LOOKS = 1_200
I2C_BYTE = 22.5
SPI_BYTE = 2
SPI_CALL = 150
RING = 2_400 + 240
PROGRAM = 1_000
READ = 60
ERASE = 45_000
FILE = 51_000
NVS = 3_000
APPEND = 1_540
FACT_READ = 430
FACT_TEXT = 980
FACT_FORGOTTEN = 150
RADAR_REPORT = 2_900
MESSAGE_IN = 900
LEARN = 1_500
STATE = 1_000
COLLECT = 10_000

interrupts = []
"""Called after whatever held the program up: (what, since, until), in microseconds."""


def charge(us, what=""):
    """So much time passes, in which no Python runs; then interrupt handlers do."""
    since = time.ticks_us()
    time.sleep_us(int(us))
    for interrupt in interrupts:
        interrupt(what, since, time.ticks_us())


def _wrap(place, name, us, what, before=True):
    """Let `place.name` cost `us`, a number or a function of (result, arguments)."""
    inner = getattr(place, name)

    def costly(*args, **kwargs):
        if before:
            charge(us, what)
            return inner(*args, **kwargs)
        result = inner(*args, **kwargs)
        charge(us(result, args) if callable(us) else us, what)
        return result

    setattr(place, name, costly)


def of_buses():
    """Buses, flash, bit stream and frame buffer; before the firmware is imported."""
    import sys

    import esp32
    import framebuf
    import machine

    _wrap(machine.I2C, "writeto", lambda _, args: (len(args[2]) + 1) * I2C_BYTE, "display", False)
    _wrap(machine.SPI, "_transfer", lambda _, a: SPI_CALL + len(a[1]) * SPI_BYTE, "reader", False)
    machine.bitstream  # noqa: B018 (loads it)
    _wrap(machine, "bitstream", RING, "ring")
    flash = esp32.Partition
    _wrap(flash, "writeblocks", PROGRAM, "flash program")
    _wrap(flash, "readblocks", READ, "flash read")
    _wrap(flash, "_erase", ERASE, "flash erase")
    _wrap(esp32.NVS, "commit", NVS, "NVS")
    real = framebuf.FrameBuffer

    class FrameBuffer:
        """A canvas whose pixels take time."""

        def __init__(self, *args):
            inner = real(*args)
            self.fill, self.text = inner.fill, inner.text
            self._pixel, self._rect = inner.pixel, inner.fill_rect

        def pixel(self, *args):
            charge(PIXEL, "screen")
            return self._pixel(*args)

        def fill_rect(self, *args):
            charge(RECT, "screen")
            self._rect(*args)

    class Module:
        MONO_VLSB = framebuf.MONO_VLSB

    Module.FrameBuffer = FrameBuffer
    sys.modules["framebuf"] = Module


def of_firmware():
    """The firmware's own bytecode, where there is much of it."""
    import gc

    from board import desk
    from desk_unit import facts, journal, known, lane, link, looks, mqtt_packets, unit
    from drivers import ld2410

    _wrap(desk.File, "save", FILE, "file")
    for name in ("light", "notes", "page"):
        _wrap(looks, name, LOOKS, "looks")
    _wrap(journal.Journal, "append", APPEND, "append")
    _wrap(journal.Journal, "read", FACT_READ, "backlog")
    _wrap(journal.Journal, "forget", lambda done, _: done[0] * FACT_FORGOTTEN, "trim", False)
    _wrap(lane, "encode", FACT_TEXT, "backlog")
    _wrap(ld2410.LD2410, "poll", lambda reports, _: 300 + reports * RADAR_REPORT, "radar", False)
    _wrap(mqtt_packets.Parser, "feed", MESSAGE_IN, "message")
    _wrap(known.Known, "learn", LEARN, "known")
    _wrap(unit.Unit, "state", STATE, "state")
    assert link
    assert facts

    class Collector:
        """`gc`, whose collection takes time."""

        mem_free = gc.mem_free

        @staticmethod
        def collect():
            charge(COLLECT, "gc")

    unit.gc = Collector
