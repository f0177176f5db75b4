"""A desk unit: the real firmware on the real MicroPython VM, with a world around it."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from sim import parts as choice
from sim.air import Air, Tap
from sim.audience import Audience, Event
from sim.parts import Parts
from sim.shown import Colour, Front, Shown
from sim.vm import ROOT, Vm, VmError
from sim.world import RadarState, World

_SHARE_KIB = 72
_CHIPS_KIB = {"mfrc522": 7, "pn532": 10, "ld2410": 9, "pir": 3, "seat-switch": 3}
_TAPS_KIB = 16  # what watching the wires takes of the VM's heap
_DOZE_KIB = 20  # what leaving out rounds takes of it
_CAUSES = {"power": 1, "hard": 2, "watchdog": 3, "soft": 5}  # machine.reset_cause()
_READY_S = 20.0
_FINGER_S = 0.05  # no finger is faster; the contact has done bouncing by then
_CRASHES = 5
_CRASH_S = 10.0


class SimUnit:
    """One unit in a folder of its own; the folder is its flash and survives power cuts.

    Args:
        folder: made when absent. `files/` is the unit's file system, `soc/` what its chip keeps.
        broker: host and port of any MQTT broker.
        site: the site's name.
        unit: the unit's name.
        site_key: 16 to 64 bytes, with which tags are hashed.
        heap: the firmware's share of memory ("224k"); pointers have 64 bits here, so this is
            what 112 KB are on the chip.
        firmware: another firmware folder than the project's. One that `make firmware` has built is
            copied to the chip's flash once, and the loader starts it, as on a unit.
        parts: reader and presence sensors; None for those that the configuration in the folder
            chooses, or the usual ones. With them, the configuration follows.
        wires: is told what passes on the wires, in hexadecimal: ("spi", [MOSI, MISO]),
            ("uart", ["in" or "out", bytes]), ("i2c", bytes).
        mqtt: is told what passes between unit and broker, see `sim.air.Tap`.
        doze: rounds that see nothing new are left out, for fleets of hundreds; see
            `sim/board/doze.py`.
    """

    def __init__(
        self,
        *,
        folder: Path,
        broker: tuple[str, int],
        site: str,
        unit: str,
        site_key: bytes,
        heap: str = "224k",
        firmware: Path = ROOT / "firmware",
        parts: Parts | None = None,
        wires: Callable[[str, Any], None] | None = None,
        mqtt: Tap | None = None,
        doze: bool = False,
    ) -> None:
        self.name = unit
        self.heap_at_start: tuple[int, int] = (0, 0)
        """Bytes of heap in use and free when the firmware began."""
        self._folder = folder.resolve()
        self._config = {"site": site, "unit": unit, "site_key": site_key.hex()}
        self._firmware_kib = _kib(heap)
        self._parts = parts
        self._doze = doze
        self._wires = wires
        self._firmware = firmware.resolve()
        self._built = (self._firmware / "a.bundle").exists()
        self._air = Air(*broker, mqtt)
        self._world = World(parts or Parts())
        self._front = Front()
        self._vm: Vm | None = None
        self._ready = asyncio.Event()
        self._audience = Audience(lambda: self.show().display)
        self._watchdog: asyncio.TimerHandle | None = None
        self._timeout_s = 0.0
        self._crashes: list[float] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._switch = asyncio.Lock()
        self._finger = asyncio.Lock()

    @property
    def powered(self) -> bool:
        """Whether the unit has power."""
        return self._vm is not None

    @property
    def pid(self) -> int | None:
        """The VM's process, None without power."""
        return self._vm.pid if self._vm else None

    async def start(self) -> None:
        """Make the folder and the configuration when absent, and switch the power on.

        Raises:
            VmError: the VM did not come up; the message has its last words.
            ValueError: the configuration in the folder chooses chips that there are not.
        """
        for name in ("files", "soc"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        await self._air.start()
        if not self._built:
            self._configure()
        await self.power_on()

    async def stop(self) -> None:
        """End everything that belongs to this unit."""
        for task in list(self._tasks):
            task.cancel()
        async with self._switch:
            await self._end()
        await self._air.stop()

    # The power

    async def power_cut(self) -> None:
        """Nothing runs from this moment on; nobody is told, the broker neither."""
        async with self._switch:
            if self._vm:
                self._air.unit_is_dead()
                await self._end()
                self._audience.tell({"power": "cut"})

    async def power_on(self) -> None:
        """Start, with the reset cause of a power-on; nothing happens when it is on already."""
        async with self._switch:
            if self._vm is None:
                (self._folder / "soc" / "rtc.bin").unlink(missing_ok=True)
                await self._begin("power")
                self._audience.tell({"power": "on"})

    # The world

    async def tap(self, *uids: str, ms: int = 400) -> None:
        """Hold cards (UIDs in hexadecimal) to the reader for a while, several at once."""
        self._need_power()
        for uid in uids:
            await self.put(uid)
        try:
            await asyncio.sleep(ms / 1000)
        finally:
            for uid in uids:
                await self.take(uid)

    async def put(self, uid: str) -> None:
        """Lay a card on the reader."""
        await self._do(self._world.put(uid))

    async def take(self, uid: str) -> None:
        """Take it away."""
        await self._do(self._world.take(uid))

    async def press(self, ms: int = 120) -> None:
        """Press the button for so long, with a contact that bounces; returns when released."""
        self._need_power()
        await self._do({"press": ms})
        await asyncio.sleep(ms / 1000)

    async def button(self, down: bool) -> None:
        """Put a finger on the button until it is taken away; it stays there over power cuts."""
        async with self._finger:
            await self._do(self._world.button(down))
            await asyncio.sleep(_FINGER_S)

    async def radar(self, state: RadarState, cm: int = 70) -> None:
        """Who is before the desk; whatever sensors it has see it."""
        await self._do(self._world.radar(state, cm))

    async def motion(self, ms: int) -> None:
        """Something moves before the PIR for so long."""
        await self._do(self._world.motion(ms))

    async def seat(self, taken: bool) -> None:
        """The contact under the seat alone closes or opens."""
        await self._do(self._world.seat(taken))

    async def fault(self, chip: str, kind: str, after: int = 0) -> None:
        """Break a chip, or mend it with "none"; see `sim.world.FAULTS`.

        With flash and "cut" the power fails once `after` more bytes have been programmed.
        """
        await self._do(self._world.fault(chip, kind, after))

    async def network(self, present: bool) -> None:
        """The access point goes away, or comes back."""
        self._world.air = present
        if present:
            self._air.restore()
        else:
            self._air.lose()
        await self._do({"air": present})

    def weather(self, loss: float, delay: float) -> None:
        """The radio loses so much of 1 from now on, and all is late by so many seconds."""
        self._air.weather(loss, delay)

    def half_open(self) -> None:
        """Connections that are open now carry nothing any more, and nobody is told."""
        self._air.half_open()

    def wrap(self, seconds: float) -> None:
        """The ticks of the next start begin again at 0 so long after it (not of a built one)."""
        if not self._built:
            self._world.wrap_ms = round(seconds * 1000)

    async def heap(self) -> tuple[int, int]:
        """Bytes of heap in use and free, after a collection; simulator included."""
        self._need_power()
        used, free = (await self._ask({"heap": 1}))["heap"]
        return used, free

    # What is to be seen

    def show(self) -> Shown:
        """A look at the unit."""
        return self._front.look(self.powered)

    def surroundings(self) -> dict[str, Any]:
        """What there is around the unit, see `World.state`."""
        return self._world.state()

    def picture(self) -> bytes:
        """The display's 128 x 64 pixels (MONO_VLSB): columns of eight, bit 0 on top."""
        return self._front.picture()

    async def wait_for(self, predicate: Callable[[Shown], object], seconds: float = 5.0) -> Shown:
        """Wait until what is shown fulfils the predicate.

        Raises:
            TimeoutError: it did not within so many seconds; the message says what was shown.
        """
        await self._wait(lambda: predicate(self.show()), seconds)
        return self.show()

    async def wait_for_ring(
        self, predicate: Callable[[list[Colour]], object], seconds: float = 5.0
    ) -> None:
        """Wait until the ring's pixels fulfil the predicate; reading the display takes far longer.

        Raises:
            TimeoutError: they did not within so many seconds; the message says what was shown.
        """
        await self._wait(lambda: predicate(self._front.ring()), seconds)

    async def _wait(self, fulfilled: Callable[[], object], seconds: float) -> None:
        try:
            await self._audience.wait(fulfilled, seconds)
        except TimeoutError:
            raise TimeoutError(f"{self.name}: after {seconds} s still {self.show()}") from None

    def watch(self) -> AbstractContextManager[asyncio.Queue[Event]]:
        """A queue of events: ring, display, lamp, buzzer, console, power, reset, ended.

        Who falls a thousand events behind loses the oldest.
        """
        return self._audience.watch()

    def console(self) -> list[str]:
        """The firmware's last hundred lines."""
        return list(self._audience.lines)

    # Starting and ending the VM

    def _configuration(self) -> dict[str, Any]:
        """A new unit's configuration."""
        return {
            **self._config,
            "wifi": {"ssid": "sim", "password": "simulated"},
            "broker": {"host": "127.0.0.1", "port": self._air.port},
            **(msgspec.to_builtins(self._parts) if self._parts else {}),
        }

    def _configure(self) -> None:
        path = self._folder / "files" / "config.json"
        config = self._configuration()
        if path.exists():
            kept = json.loads(path.read_text())
            broker = {**kept.get("broker", {}), **config["broker"]}
            config = {**kept, "broker": broker}
            if self._parts:
                config |= msgspec.to_builtins(self._parts)
        self._world.parts = choice.of(config)
        path.write_text(json.dumps(config))

    async def _begin(self, cause: str) -> None:
        self._ready.clear()
        self._front.power_cycle()
        vm = Vm(self._heap(), self._message, self._audience.print, self._exit)
        self._vm = vm
        await vm.start(
            {
                "files": str(self._folder / "files"),
                "soc": str(self._folder / "soc"),
                "firmware": str(self._firmware),
                "config": self._configuration() if self._built else None,
                "sources": str(ROOT),
                "name": self.name,
                "cause": _CAUSES[cause],
                "air": self._world.air,
                "world": self._world.commands(),
                "parts": msgspec.to_builtins(self._world.parts),
                "taps": self._wires is not None,
                "doze": self._doze,
                "wrap": self._world.wrap(),
            }
        )
        try:
            await asyncio.wait_for(self._ready.wait(), _READY_S)
        except TimeoutError:
            await self._end()
            last = "\n".join(self._audience.lines[-10:])
            raise VmError(f"{self.name}: the VM did not come up. Its last words:\n{last}") from None

    def _heap(self) -> str:
        more = (_TAPS_KIB if self._wires else 0) + (_DOZE_KIB if self._doze else 0)
        return f"{self._firmware_kib + share_kib(self._world.parts) + more}k"

    async def _end(self) -> None:
        vm, self._vm = self._vm, None
        self._feed(0)
        if vm:
            await vm.kill()
        self._front.power_cycle()
        self._audience.look()

    async def _restart(self, cause: str, pause: float = 0.0) -> None:
        await asyncio.sleep(pause)
        async with self._switch:
            if self._vm:
                await self._end()
                self._audience.tell({"reset": cause})
                await self._begin(cause)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What the VM says

    def _message(self, message: Event) -> None:
        for name, value in message.items():
            try:
                known = self._front.take(name, value) or self._news(name, value)
            except ValueError:
                known = False
            if not known:
                self._audience.print(
                    f"(the simulator does not understand: {json.dumps(message)[:200]})"
                )
            elif name == "i2c":
                self._audience.draw()
                if self._wires:
                    self._wires(name, value)
            elif name in ("ring", "lamp", "buzzer"):
                self._audience.tell({name: self._front.level(name)})

    def _news(self, name: str, value: Any) -> bool:
        if name == "ready":
            self.heap_at_start = (value[0], value[1])
            self._ready.set()
        elif name == "wdt":
            self._timeout_s = value / 1000
            self._feed(self._timeout_s)
        elif name == "fed":
            self._feed(self._timeout_s * 1.25)  # feeds are told every quarter at the latest
        elif name in ("spi", "uart") and self._wires:
            self._wires(name, value)
        elif name == "ended":
            self._audience.tell({"ended": value})
        elif name == "reset" and value == "cut":
            self._spawn(self.power_cut())
        elif name == "reset":
            self._spawn(self._restart(value))
        else:
            return False
        return True

    def _feed(self, seconds: float) -> None:
        """Move the watchdog's deadline; 0 takes the watchdog away."""
        if self._watchdog:
            self._watchdog.cancel()
            self._watchdog = None
        if seconds:
            loop = asyncio.get_running_loop()
            self._watchdog = loop.call_later(seconds, self._bite)

    def _bite(self) -> None:
        self._spawn(self._restart("watchdog"))

    def _exit(self) -> None:
        """The process is gone. When nobody ended it, that was a crash: as a panic, a hard reset."""
        vm = self._vm
        if vm is None or self._switch.locked():
            return
        now = time.monotonic()
        self._crashes = [*(then for then in self._crashes if now - then < _CRASH_S), now]
        if len(self._crashes) > _CRASHES:
            self._audience.print(
                f"(the VM crashed {len(self._crashes)} times in a row and stays off)"
            )
            self._vm = None
            self._audience.tell({"power": "cut"})
        else:
            self._spawn(self._restart("hard", 0.5))

    # Commands

    def _need_power(self) -> None:
        if self._vm is None:
            raise VmError(f"{self.name} has no power")

    async def _do(self, command: Event) -> None:
        """Tell the VM what the world did; without power it finds out when it starts."""
        if self._vm:
            await self._ask(command)

    async def _ask(self, command: Event) -> Event:
        assert self._vm is not None
        return await self._vm.ask(command)


def share_kib(parts: Parts) -> int:
    """What the simulator itself takes of the VM's heap with these parts on the board, in KiB.

    Chip models, `machine`, `network` and `esp32` are not on the heap of a chip; so this is added
    to the firmware's share. A test measures it.
    """
    return _SHARE_KIB + sum(_CHIPS_KIB[chip] for chip in (parts.reader, *parts.presence))


def _kib(heap: str) -> int:
    """Kibibytes of "224k"; ValueError for anything else."""
    if not heap.endswith("k") or not heap[:-1].isdigit() or not 64 <= int(heap[:-1]) <= 1 << 20:
        raise ValueError(f"heap is written as in 224k, from 64k, not {heap!r}")
    return int(heap[:-1])
