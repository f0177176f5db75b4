"""The desk unit: what happens when something happens. Everything else is in the parts."""

import asyncio
import gc
import json

from port import const, sleep_ms, ticks_diff, ticks_ms

from . import VERSION, down
from .badge_in import BadgeIn
from .button import HOLD, THREE
from .chips import Chips
from .clock import Uptime, WallClock
from .crash import condense
from .known import Known
from .link import Link
from .memory import Memory
from .panel import Panel
from .rest import Rest
from .senses import ButtonSense, SeatSense, TagSense
from .starts import GOOD_MS
from .tags import TagHash
from .taps import OFFLINE_MS, PATIENCE_MS, Taps
from .watch import Watch
from .wires import wire

_TICK_MS = const(50)
_TIDY_MS = const(1_000)
_RESTART_MS = const(1_000)
_COLLECT_TIDIES = const(10)
_FAULT = const(120)
_SUPERVISED = (
    ("button", 5_000),
    ("tick", 5_000),
    ("tidy", 5_000),
    ("link", 120_000),
    ("rfid", 60_000),
    ("presence", 60_000),
    ("display", 60_000),
)
"""Tasks, and how many milliseconds each may take for one step at the most."""
_HOUR_MS = const(3_600_000)
_SEAL = b"known"  # five bytes, as no UID has


class Unit:
    """One desk unit.

    Args:
        config: Its `Config`.
        hardware: What it is made of: `reader`, `pixels`, `display` (drivers), `presence` and
            `sensors` (see `presence.py`), `canvas` and `glyphs` (frame buffers, see
            `screen.py`), `button` (see `senses.py`), `flashes`
            (see `memory.py`), `known` (a file, see `known.py`), `buzzer` (`drivers.buzzer`),
            `lamp` (the button's, a PWM), `nvs` (see `memory.py`), what `wires.py` asks for,
            `open_udp` (see `sntp.py`), `set_clock(Unix ms)`, `random` (16 random bits), `cause`
            (of the reset, a word), `starts` (see `starts.py`), `feed()` (the watchdog),
            `reset()` and `log(line)`.
    """

    def __init__(self, config, hardware) -> None:
        self._config = config
        self._hardware = hardware
        self._uptime = Uptime()
        self._wall = WallClock(self._uptime)
        self._memory = Memory(config, hardware.flashes, hardware.nvs, self._uptime, self._wall)
        self._facts = self._memory.facts
        self._memory.begin(hardware)
        tag_hash = TagHash(config.site_key)
        self._panel = Panel(hardware)
        self._face = self._panel.face
        self._mode = [0, False, False, False]
        self._told_mode(self._mode)
        self._rest = Rest(config.break_minutes)
        self._known = Known(hardware.known, tag_hash(_SEAL)[:8])
        self._badge_in = BadgeIn(self._known)
        self._taps = Taps()
        self._enrol_until = 0
        self._watch = Watch(hardware.feed, hardware.starts.crashed)
        self._chips = Chips(self._chip, hardware.log, self._watch.beat)
        works = self._chips.works
        self._tags = TagSense(hardware.reader, tag_hash, self._tag, works)
        self._seat = SeatSense(hardware.presence, hardware.sensors, self._sat, self._chips)
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
            beat=lambda: self._watch.beat("link"),
        )

    async def run(self) -> None:
        """Do everything, for ever."""
        if self._sntp:
            asyncio.create_task(self._forever("sntp", self._sntp.run))  # noqa: RUF006
        for task in (
            self._forever("button", self._button.run),
            self._forever("button", lambda: self._button.guard(self._watch.beat)),
            self._forever("tick", self._tick),
            self._forever("link", self._link.run),
            self._forever("tidy", self._tidy),
            self._forever("buzzer", self._hardware.buzzer.run),
            self._kept("rfid", self._tags.run),
            self._kept("presence", self._seat.run),
            self._kept("display", self._show),
        ):
            asyncio.create_task(task)  # noqa: RUF006 (MicroPython's loop holds on to its tasks)
        for name, patience in _SUPERVISED:
            self._watch.expect(name, patience)
        good = False
        while True:
            await sleep_ms(_TIDY_MS)
            self._watch.look()
            if not good and self._uptime.now() >= GOOD_MS:
                good = True
                self._hardware.starts.good()

    # What happens at the desk

    def _press(self, event: str, began: int) -> None:
        now = self._uptime.now()
        drill = self._is_drill(now)
        if event != HOLD:
            seq = self._facts.press(max(0, ticks_diff(ticks_ms(), began)), drill)
        if event in (HOLD, THREE):
            seq = self._facts.urgent(event, drill)
        try:
            self._panel.press(self._memory.boot, seq, now)
        except Exception as error:  # broken outputs must not keep the next press waiting
            self._hardware.log("unit: a press was kept, but not shown: %s" % repr(error))
        self._badge_in.pressed(now)
        self._rest.pressed()

    def _tag(self, digest: bytes) -> None:
        now = self._uptime.now()
        enrol = now < self._enrol_until
        self._enrol_until = 0
        # What is enrolled is no tap to be judged: it has no hash to remember or to guess by.
        self._taps.tapped(self._facts.tag(digest, enrol), now, b"" if enrol else digest)

    def _sat(self, occupied: bool) -> None:
        self._facts.seat(occupied)
        self._rest.seat(occupied, self._uptime.now())
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
            ("known", self._known.fault),
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
                "waiting": self._memory.waiting(),
                "heap_free": gc.mem_free() if hasattr(gc, "mem_free") else None,
            }
        ).encode()

    def restart(self, boot: int) -> None:
        """The host wants this unit to start again."""
        self._memory.restart(boot, self._hardware)

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
        if boot != self._memory.boot:
            return
        show, digest = self._taps.answered(seq)
        now = self._uptime.now()
        if digest:
            self._badge_in.heard(digest, word, self._wall.at(now) // _HOUR_MS)
        if show:
            self._judge(word, now, False)

    def guidance(self, word: str) -> None:
        """May this seat be used now?"""
        self._face.guidance = word
        self._badge_in.guided(word)

    def told(self, word: str, payload: bytes) -> bool:
        """Anything else that the host says; False if it can't be understood."""
        if word == "down/mode":
            return self._told_mode(down.mode(payload))
        if word == "down/incident":
            return self._told_seen(down.incident(payload))
        return word == "down/enrol" and self._told_enrol(down.enrol(payload))

    def _told_mode(self, mode) -> bool:
        if mode is None:
            return False
        self._mode = mode
        self._panel.quiet = self._config.quiet or mode[1]
        self._panel.night = mode[2]
        return True

    def _told_seen(self, key) -> bool:
        if key is None:
            return False
        self._advance("seen", "button", *key)
        return True

    def _told_enrol(self, seconds) -> bool:
        if seconds is None:
            return False
        self._enrol_until = self._uptime.now() + seconds * 1000 if seconds else 0
        return True

    def _advance(self, word: str, lane: str, boot: int, seq: int) -> None:
        now = self._uptime.now()
        if lane == "button" and self._face.advance(word, boot, seq, now) and word != "sent":
            self._panel.sound(word)
            if word == "stored":
                self._rest.stored(now)

    def _judge(self, word: str, now: int, provisional: bool) -> None:
        self._panel.judge(word, now, provisional)
        if word in ("own", "goodbye"):
            self._rest.stop()

    def _is_drill(self, now: int) -> bool:
        """Until a time of the host's: a unit that does not know the time is in no drill."""
        return 0 < self._wall.at(now) < self._mode[0]

    # What goes on all the time

    async def _tick(self) -> None:
        while True:
            now = self._uptime.now()
            self._face.unprotected = self._link.unprotected
            self._face.drill = self._is_drill(now)
            self._face.standing = "enrol" if now < self._enrol_until else self._rest.word(now)
            self._face.minutes = self._rest.minutes(now)
            overdue = self._taps.overdue(now, PATIENCE_MS if self._link.connected else OFFLINE_MS)
            if overdue:
                self._help_itself(*overdue)
            self._panel.draw(now)
            self._watch.beat("tick")
            await sleep_ms(_TICK_MS)

    def _help_itself(self, seq: int, digest: bytes) -> None:
        """No verdict came in time: show what the unit makes of the tap, and tell the host so."""
        now = self._uptime.now()
        word = "provisional"
        if digest:
            hour = self._wall.at(now) // _HOUR_MS
            word = self._badge_in.guess(digest, now, hour, bool(self._mode[3]))
        self._facts.provisional(seq, word)
        if word == "cleaned" and self._face.guidance == "dirty":
            self._face.guidance = word
        self._judge(word, now, True)

    async def _show(self) -> None:
        await self._panel.show(self._uptime.now, lambda: self._chips.works("display"))

    async def _tidy(self) -> None:
        """Flash erased ahead of need, one sector at a time and not under a pressed button."""
        memory = self._memory
        count = 0
        while True:
            self._set_clock()
            for work in (
                memory.times.keep,
                memory.button.tidy,
                memory.ordinary.tidy,
                self._known.save,
            ):
                await self._hold(work)
            if count % _COLLECT_TIDIES == 0:
                gc.collect()
            count += 1
            self._watch.beat("tidy")
            await sleep_ms(_TIDY_MS)

    async def _hold(self, work) -> None:
        """Do `work` on flash, which holds the program up (45 ms an erase), and let others run.

        Not while the button is pressed; a press that came meanwhile is felt before anything else.
        """
        if not self._button.active:
            began = ticks_ms()
            work()
            self._button.held(began)
        await sleep_ms(0)

    def _set_clock(self) -> None:
        """The chip's own clock, by which TLS sees whether a certificate is in date."""
        if self._wall.quality > self._clock_set:
            self._clock_set = self._wall.quality
            self._hardware.set_clock(self._wall.at(self._uptime.now()))

    def _kept(self, chip: str, work):
        """A chip's task; what it can't even report, for want of memory, must not end it either."""
        return self._forever(chip, lambda: self._chips.keep(chip, work))

    async def _forever(self, name: str, work) -> None:
        """Run `work()` again whenever it fails; a task never dies silently."""
        while True:
            try:
                await work()
            except Exception as error:
                text = condense(error)
                self._watch.failed(name, text)
                self._hardware.log("unit: a task failed and starts again: %s: %s" % (name, text))
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
