"""A desk unit in virtual time: real firmware on the real MicroPython VM, a world around it.

The counterpart of `sim.unit.SimUnit`; what a story may do to a unit is the same.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from sim import parts as choice
from sim.parts import Parts
from sim.shown import Front, Shown
from sim.unit import share_kib
from sim.virtual.broker import Broker
from sim.virtual.conductor import NEVER, Conductor, Planned
from sim.virtual.machine import Input, Machine, MachineEndedError
from sim.virtual.radio import LATENCY_US, Radio
from sim.vm import ROOT, VmError
from sim.world import RadarState, World

_CAUSES = {"power": 1, "hard": 2, "watchdog": 3, "soft": 5}  # machine.reset_cause()
_ROOM_KIB = 224 + 256  # the firmware's and room for the wire: memory is tested elsewhere
_CRASHES = 5
_CRASH_US = 10_000_000
_AFTER_CRASH_US = 500_000
_FINGER_S = 0.05
_NOTICED_US = 90_000_000
"""After so long a unit has found out that a connection carries nothing."""

Tell = Callable[[int, str, Any], None]
"""Told (time, what, value): "display" (lines), "power" (on or cut), "reset" (why), "console"."""


class VirtualUnit:
    """One unit in a folder of its own; the folder is its flash and survives power cuts.

    Args:
        conductor: whose time it is.
        broker: the site's.
        folder: made when absent.
        site: the site's name.
        unit: the unit's name.
        site_key: with which tags are hashed.
        seed: of everything that is chosen by chance in this unit.
        rank: who goes first of those that do something in the same moment, from 1.
        tell: is told what is to be seen.
        firmware: another firmware folder than the project's.
        parts: reader and presence sensors; None for those that the configuration in the folder
            chooses, or the usual ones.
        leave_out: leave out what changes nothing (sim/virtual/on_vm/idle.py).
    """

    def __init__(
        self,
        *,
        conductor: Conductor,
        broker: Broker,
        folder: Path,
        site: str,
        unit: str,
        site_key: bytes,
        seed: int,
        rank: int = 1,
        tell: Tell = lambda _at, _what, _value: None,
        firmware: Path = ROOT / "firmware",
        parts: Parts | None = None,
        leave_out: bool = True,
    ) -> None:
        self.name = unit
        self.steps = 0
        """How often the VM was asked to go on."""
        self._conductor = conductor
        self._broker = broker
        self._folder = folder.resolve()
        self._config = {"site": site, "unit": unit, "site_key": site_key.hex()}
        self._seed = seed
        self._rank = rank
        self._leave_out = leave_out
        self._parts = parts
        self._tell = tell
        self._firmware = firmware.resolve()
        self._uneasy: set[str] = set()
        self._radio = Radio(conductor, broker, self._receive, rank, f"{seed} {unit}")
        self._world = World(parts or Parts())
        self._front = Front()
        self._machine: Machine | None = None
        self._inbox: list[Input] = []
        self._planned: Planned | None = None
        self._following = NEVER
        self._watchdog = NEVER
        self._watchdog_us = 0
        self._ending: Planned | None = None
        """The VM has said that it is at its end: nobody may ask it to go on."""
        self._restart: Planned | None = None
        self._starts = 0
        self._crashes: list[int] = []
        self._refused = ""
        self._console: list[str] = []
        self._heap = (0, 0)

    @property
    def powered(self) -> bool:
        """Whether the unit has power."""
        return self._machine is not None or self._restart is not None

    def start(self) -> None:
        """Make the folder and the configuration when absent, and switch the power on."""
        for name in ("files", "soc"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        path = self._folder / "files" / "config.json"
        config = json.loads(path.read_text()) if path.exists() else dict(self._config)
        config.setdefault("wifi", {"ssid": "sim", "password": "simulated"})
        config.setdefault("broker", {"host": "127.0.0.1", "port": 1883})
        if self._parts:
            config |= msgspec.to_builtins(self._parts)
        path.write_text(json.dumps(config))
        self._world.parts = choice.of(config)
        self._power_on()

    def stop(self) -> None:
        """End everything that belongs to this unit."""
        self._end()

    # The power

    async def power_cut(self) -> None:
        """Nothing runs from this moment on; nobody is told, the broker neither."""
        self._cut()

    async def power_on(self) -> None:
        """Start, with the reset cause of a power-on; nothing happens when it is on already."""
        self._power_on()

    # The world

    async def tap(self, *uids: str, ms: int = 400) -> None:
        """Hold cards (UIDs in hexadecimal) to the reader for a while, several at once."""
        if self._machine is None:
            raise VmError(f"{self.name} has no power")
        for uid in uids:
            await self.put(uid)
        await asyncio.sleep(ms / 1000)
        for uid in uids:
            await self.take(uid)

    async def put(self, uid: str) -> None:
        """Lay a card on the reader."""
        self._do(self._world.put(uid))

    async def take(self, uid: str) -> None:
        """Take it away."""
        self._do(self._world.take(uid))

    async def press(self, ms: int = 120) -> None:
        """Press the button for so long, with a contact that bounces; returns when released."""
        if not self.powered:
            raise VmError(f"{self.name} has no power")
        self._do({"press": ms})
        await asyncio.sleep(ms / 1000)

    async def button(self, down: bool) -> None:
        """Put a finger on the button until it is taken away; it stays there over power cuts."""
        self._do(self._world.button(down))
        await asyncio.sleep(_FINGER_S)

    async def radar(self, state: RadarState, cm: int = 70) -> None:
        """Who is before the desk; whatever sensors it has see it."""
        self._do(self._world.radar(state, cm))

    async def motion(self, ms: int) -> None:
        """Something moves before the PIR for so long."""
        self._do(self._world.motion(ms))

    async def seat(self, taken: bool) -> None:
        """The contact under the seat alone closes or opens."""
        self._do(self._world.seat(taken))

    async def fault(self, chip: str, kind: str, after: int = 0) -> None:
        """Break a chip, or mend it with "none"; see `sim.world.FAULTS`."""
        self._do(self._world.fault(chip, kind, after))

    async def network(self, present: bool) -> None:
        """The access point goes away, or comes back."""
        self._world.air = present
        if present:
            self._radio.restore()
        else:
            self._radio.lose()
        self._do({"air": present})

    def weather(self, loss: float, delay: float) -> None:
        """From now on so much of 1 is lost and sent again, and all is late by so many seconds."""
        self.calm(not (loss or delay), "weather")
        self._radio.weather(loss, delay)

    def half_open(self) -> None:
        """Connections that are open now carry nothing any more, and nobody is told."""
        self.calm(False, "half open")
        self._radio.half_open()
        self._conductor.after(_NOTICED_US, lambda: self.calm(True, "half open"))

    def wrap(self, seconds: float) -> None:
        """The ticks of the next start begin again at 0 so long after it."""
        self._world.wrap_ms = round(seconds * 1000)

    def drift(self, ppm: int) -> None:
        """From the next start on its crystal is fast by so many millionths, or slow."""
        self._world.drift_ppm = ppm

    async def heap(self) -> tuple[int, int]:
        """Bytes of heap in use and free, after a collection; simulator included."""
        self._do({"heap": 1})
        return self._heap

    # What is to be seen

    def show(self) -> Shown:
        """A look at the unit."""
        return self._front.look(self.powered)

    def console(self) -> list[str]:
        """The firmware's last hundred lines."""
        return list(self._console)

    # Steps

    def _do(self, command: dict[str, Any]) -> None:
        """Let the unit live up to now and find this; without power it finds out when it starts."""
        if self._machine is None or self._ending:
            return
        if self._machine.fresh:
            self._step(only_to_now=True)
        self._refused = ""
        self._inbox.append((self._conductor.now, command))
        self._inbox.sort(key=_when)
        self._step(only_to_now=True)
        if self._refused:
            raise VmError(self._refused)

    def _receive(self, at: int, what: dict[str, Any]) -> None:
        if self._machine:
            self._inbox.append((at, what))
            self._plan()

    def _plan(self) -> None:
        """Be woken when there is something to do."""
        if self._planned:
            self._planned.cancel()
            self._planned = None
        due = min(self._following, self._inbox[0][0] if self._inbox else NEVER)
        if self._machine and due < NEVER:
            self._planned = self._conductor.at(due, self._step, self._rank)

    def _step(self, *, only_to_now: bool = False) -> None:
        """Let the VM run as far as nothing from outside can reach it."""
        machine = self._machine
        if machine is None or self._ending:
            return
        grant = self._conductor.now if only_to_now else self._grant()
        self.steps += 1
        try:
            if not machine.fresh:
                machine.ask(grant, self._inputs(grant))
            report = machine.answer()
        except MachineEndedError as error:
            self._crash(error)
            return
        for line in report.console:
            self._print(line)
        self._following = report.following
        self._take(report.out)
        self._plan()

    def _take(self, out: list[list[Any]]) -> None:
        """What the unit did, in its order; a display is read when its whole picture is there."""
        drawn = NEVER
        for at, what in [*out, (NEVER, {})]:
            if drawn < at:
                self._tell(drawn, "display", self._front.glass.lines)
                drawn = NEVER
            for name, value in what.items():
                if not (self._front.take(name, value) or self._radio.take(at, what)):
                    self._news(at, name, value)
            if "i2c" in what:
                drawn = at

    def _grant(self) -> int:
        """Up to when nothing can reach the unit but what is in its inbox."""
        following = self._conductor.following() + LATENCY_US
        limit = min(following, self._conductor.horizon, self._watchdog)
        return max(self._conductor.now, limit - 1)

    def _inputs(self, until: int) -> list[Input]:
        count = 0
        while count < len(self._inbox) and self._inbox[count][0] <= until:
            count += 1
        inputs, self._inbox = self._inbox[:count], self._inbox[count:]
        return inputs

    def _news(self, at: int, name: str, value: Any) -> None:
        if name == "wdt":
            self._watchdog_us = value * 1000
            self._feed(at, self._watchdog_us)
        elif name == "fed":
            self._feed(at, self._watchdog_us * 5 // 4)  # feeds are told every quarter at the latest
        elif name == "held":
            self._watchdog = NEVER if value else at + self._watchdog_us
            if not value:
                self._feed(at, self._watchdog_us)
        elif name == "quiet":
            self._radio.quiet(bool(value[0]), value[1])
        elif name == "refused":
            self._refused = value
        elif name == "heap":
            self._heap = (value[0], value[1])
        elif name == "reset":
            end = self._go_dark if value == "cut" else lambda: self._reset(value)
            self._ending = self._conductor.at(at, end)
            self._following = NEVER
        elif name not in {"ready", "ended"}:
            self._print(f"(the simulator does not understand: {name})")

    def _feed(self, at: int, us: int) -> None:
        self._watchdog = at + us
        machine, due = self._machine, self._watchdog

        def bite() -> None:
            if self._machine is machine and self._watchdog == due:
                self._reset("watchdog")

        self._conductor.at(due, bite)

    # Starting and ending the VM

    def _power_on(self) -> None:
        if not self.powered:
            (self._folder / "soc" / "rtc.bin").unlink(missing_ok=True)
            self._begin("power")
            self._tell(self._conductor.now, "power", "on")

    def calm(self, calm: bool, why: str = "broker") -> None:
        """Whether keep-alives may be left out: not while somebody may fail to answer them.

        Not before all reasons (`why`) against it are gone.
        """
        if calm:
            self._uneasy.discard(why)
        else:
            self._uneasy.add(why)
        self._do({"calm": not self._uneasy})

    def broker(self, runs: bool) -> None:
        """Whether there is a broker: calls that nobody takes may be left out."""
        self._do({"broker": runs})

    def _cut(self) -> None:
        if self.powered:
            self._do({"calm": not self._uneasy})  # so that the broker knows when it was heard last
            self._go_dark()

    def _go_dark(self) -> None:
        if self.powered:
            self._radio.unit_is_dead()
            self._end()
            self._tell(self._conductor.now, "power", "cut")

    def _begin(self, cause: str) -> None:
        self._restart = None
        self._starts += 1
        wrap_ms = self._world.wrap()
        dice = hashlib.sha256(f"{self._seed} {self.name} {self._starts}".encode()).digest()
        self._machine = Machine(
            f"{_ROOM_KIB + share_kib(self._world.parts)}k",
            {
                "files": str(self._folder / "files"),
                "soc": str(self._folder / "soc"),
                "firmware": str(self._firmware),
                "sources": str(ROOT),
                "name": self.name,
                "cause": _CAUSES[cause],
                "air": self._world.air,
                "world": self._world.commands(),
                "taps": False,
                "parts": msgspec.to_builtins(self._world.parts),
                "at": self._conductor.now,
                "unix": self._conductor.unix_us(),
                "seed": int.from_bytes(dice[:4], "big"),
                "round_trip": 2 * LATENCY_US,
                # What leaves rounds out counts in ticks that don't wrap.
                "idle": self._leave_out and wrap_ms is None,
                "wrap": wrap_ms,
                "drift": self._world.drift_ppm,
                "broker": self._broker.running,
            },
        )
        if self._uneasy:
            self._inbox.append((self._conductor.now, {"calm": False}))
        self._following = self._conductor.now
        self._plan()

    def _end(self) -> None:
        machine, self._machine = self._machine, None
        if machine:
            machine.kill()
        for planned in (self._restart, self._ending):
            if planned:
                planned.cancel()
        self._restart = self._ending = None
        self._inbox.clear()
        self._following = self._watchdog = NEVER
        self._plan()
        self._front.power_cycle()

    def _reset(self, cause: str, pause: int = 0) -> None:
        if self._machine:
            self._radio.unit_restarts()
            self._end()
            self._tell(self._conductor.now, "reset", cause)
            self._restart = self._conductor.after(pause, lambda: self._begin(cause))

    def _crash(self, error: MachineEndedError) -> None:
        """The process is gone by itself: as a panic, a hard reset."""
        for line in error.args:
            self._print(str(line))
        now = self._conductor.now
        self._crashes = [*(at for at in self._crashes if now - at < _CRASH_US), now]
        if len(self._crashes) > _CRASHES:
            self._print(f"(the VM crashed {len(self._crashes)} times in a row and stays off)")
            self._go_dark()
        else:
            self._reset("hard", _AFTER_CRASH_US)

    def _print(self, line: str) -> None:
        self._console.append(line)
        del self._console[:-100]
        self._tell(self._conductor.now, "console", line)


def _when(entry: Input) -> int:
    return entry[0]
