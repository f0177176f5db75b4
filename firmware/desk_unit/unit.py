"""The desk unit: what happens when something happens. Everything else is in the parts."""

import asyncio
import gc
import json

from port import const, sleep_ms, ticks_diff, ticks_ms

from . import VERSION
from .button import HOLD, THREE
from .chips import Chips
from .clock import Uptime, WallClock
from .face import Face
from .link import Link
from .memory import Memory
from .ring import Ring
from .screen import Screen
from .senses import ButtonSense, SeatSense, TagSense
from .tags import TagHash
from .taps import Taps
from .wires import wire

_TICK_MS = const(50)
_TIDY_MS = const(1_000)
_CHECK_TICKS = const(40)
_RESTART_MS = const(1_000)
_COLLECT_TIDIES = const(10)
_FAULT = const(120)
_BEATS = ("button", "tick", "tidy")


class Unit:
    """One desk unit.

    Args:
        config: Its `Config`.
        hardware: What it is made of: `reader`, `radar`, `pixels`, `display` (drivers), `canvas`
            and `glyphs` (frame buffers, see `screen.py`), `button` (see `senses.py`), `flashes`
            and `nvs` (see `memory.py`), what `wires.py` asks for, `open_udp` (see `sntp.py`),
            `set_clock(Unix ms)`, `random` (16 random bits), `cause` (of the reset, a word),
            `feed()` (the watchdog) and `log(line)`.
    """

    def __init__(self, config, hardware) -> None:
        self._config = config
        self._hardware = hardware
        self._uptime = Uptime()
        self._wall = WallClock(self._uptime)
        self._memory = Memory(config, hardware.flashes, hardware.nvs, self._uptime, self._wall)
        self._facts = self._memory.facts
        self._facts.boot(hardware.cause, VERSION, self._memory.last)
        self._face = Face()
        self._taps = Taps()
        self._beats: set[str] = set()
        self._chips = Chips(self._chip, hardware.log)
        self._ring = Ring(hardware.pixels)
        self._screen = Screen(hardware.canvas, hardware.glyphs)
        works = self._chips.works
        self._tags = TagSense(hardware.reader, TagHash(config.site_key), self._tag, works)
        self._seat = SeatSense(hardware.radar, self._sat, works)
        self._button = ButtonSense(hardware.button, self._press)
        over = wire(config, hardware)
        self._sntp = _sntp(config, hardware, over, self._uptime, self._wall)
        self._clock_set = 0
        self._link = Link(
            config,
            (self._memory.button, self._memory.ordinary),
            wire=over,
            uptime=self._uptime,
            random=hardware.random,
            listener=self,
            log=hardware.log,
        )

    async def run(self) -> None:
        """Do everything, for ever."""
        keep = self._chips.keep
        if self._sntp:
            asyncio.create_task(self._forever(self._sntp.run))  # noqa: RUF006
        for task in (
            self._forever(self._button.run),
            self._forever(lambda: self._button.guard(self._beats.add)),
            self._forever(self._tick),
            self._forever(self._link.run),
            self._forever(self._tidy),
            keep("rfid", self._tags.run),
            keep("radar", self._seat.run),
            keep("display", self._show),
        ):
            asyncio.create_task(task)  # noqa: RUF006 (MicroPython's loop holds on to its tasks)
        while True:
            await sleep_ms(_TIDY_MS)
            if len(self._beats) == len(_BEATS):
                self._beats.clear()
                self._hardware.feed()

    # What happens at the desk

    def _press(self, event: str, began: int) -> None:
        if event != HOLD:
            seq = self._facts.press(max(0, ticks_diff(ticks_ms(), began)))
        if event in (HOLD, THREE):
            seq = self._facts.urgent(event)
        self._face.press(self._memory.boot, seq, self._uptime.now())
        self._draw_ring()

    def _tag(self, digest: bytes) -> None:
        self._taps.tapped(self._facts.tag(digest), self._uptime.now())

    def _sat(self, occupied: bool) -> None:
        self._facts.seat(occupied)
        self._link.touch()

    def _chip(self, chip: str, ok: bool, reason: str) -> None:
        self._facts.chip(chip, ok, reason)
        self._link.touch()

    # What the link tells (see `Link`)

    def state(self) -> bytes:
        """The retained state, as JSON."""
        faults = dict(self._chips.faults)
        self._memory.faults(faults)
        for name, fault in (
            ("config", self._config.fault),
            ("link", self._link.fault),
            ("sntp", self._sntp.fault if self._sntp else ""),
        ):
            if fault:
                faults[name] = fault[:_FAULT]
        return json.dumps(
            {
                "unit": self._config.unit,
                "online": True,
                "boot": self._memory.boot,
                "firmware": VERSION,
                "up": self._uptime.now(),
                "occupied": self._seat.seat.occupied,
                "faults": faults,
                "waiting": {
                    "ordinary": self._memory.ordinary.journal.waiting,
                    "button": self._memory.button.journal.waiting,
                },
                "heap_free": gc.mem_free() if hasattr(gc, "mem_free") else None,
            }
        ).encode()

    def heard(self, time: int) -> None:
        """The host's clock."""
        self._wall.learn(time)

    def sent(self, lane: str, boot: int, seq: int) -> None:
        """The broker has the facts of `lane` up to (boot, seq)."""
        self._advance("sent", lane, boot, seq)

    def stored(self, lane: str, boot: int, seq: int) -> None:
        """The host has them."""
        self._advance("stored", lane, boot, seq)

    def verdict(self, boot: int, seq: int, word: str) -> None:
        """The answer to a tap."""
        if boot == self._memory.boot and self._taps.answered(seq):
            self._face.judge(word, self._uptime.now())

    def guidance(self, word: str) -> None:
        """May this seat be used now?"""
        self._face.guide(word)

    def _advance(self, word: str, lane: str, boot: int, seq: int) -> None:
        if lane == "button":
            self._face.advance(word, boot, seq, self._uptime.now())

    # What goes on all the time

    async def _tick(self) -> None:
        while True:
            now = self._uptime.now()
            self._face.unprotected = self._link.unprotected
            overdue = self._taps.overdue(now)
            if overdue:
                self._facts.provisional(overdue, "provisional")
                self._face.judge("provisional", now)
            self._draw_ring()
            self._beats.add("tick")
            await sleep_ms(_TICK_MS)

    def _draw_ring(self) -> None:
        now = self._uptime.now()
        self._ring.draw(self._face.word(now), self._face.unprotected, now)

    async def _show(self) -> None:
        display = self._hardware.display
        display.start()
        ticks = 0
        while True:
            if self._screen.draw(self._face.word(self._uptime.now()), self._face.unprotected):
                await display.refresh()
            if ticks % _CHECK_TICKS == 0:
                display.check()
                self._chips.works("display")
            ticks += 1
            await sleep_ms(_TICK_MS)

    async def _tidy(self) -> None:
        """Flash erased ahead of need, one sector at a time and not under a pressed button."""
        count = 0
        while True:
            self._memory.times.keep()
            self._set_clock()
            for lane in (self._memory.button, self._memory.ordinary):
                if not self._button.active:
                    lane.tidy()
            if count % _COLLECT_TIDIES == 0:
                gc.collect()
            count += 1
            self._beats.add("tidy")
            await sleep_ms(_TIDY_MS)

    def _set_clock(self) -> None:
        """The chip's own clock, by which TLS sees whether a certificate is in date."""
        if self._wall.quality > self._clock_set:
            self._clock_set = self._wall.quality
            self._hardware.set_clock(self._wall.at(self._uptime.now()))

    async def _forever(self, work) -> None:
        """Run `work()` again whenever it fails; a task never dies silently."""
        while True:
            try:
                await work()
            except Exception as error:
                self._hardware.log("unit: a task failed and starts again: %s" % repr(error))
            await sleep_ms(_RESTART_MS)


def _sntp(config, hardware, over, uptime, wall):
    """The SNTP client if one is configured and there is a network; else its code isn't loaded."""
    if not config.sntp or config.link != "wifi":
        return None
    from .sntp import Sntp

    return Sntp(
        config.sntp,
        open_udp=hardware.open_udp,
        uptime=uptime,
        wall=wall,
        random=hardware.random,
        is_up=over.network.is_up,
    )
