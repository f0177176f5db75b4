"""`python -m sim demo`: the whole of Chequer on one machine, with a simulated room."""

import asyncio
import contextlib
import json
import secrets
import signal
import socket
import sys
import time
import tomllib
from collections.abc import Awaitable, Iterator
from itertools import dropwhile
from pathlib import Path
from typing import Any

from rich.console import Console

from sim.children import Child, ChildFailedError, start
from sim.crew import CLEANERS, PEOPLE, Crew, crew
from sim.port import ControlPort
from sim.room import Room
from sim.scenario.real import RealClock
from sim.scenario.record import Kind
from sim.tags import write_register
from sim.unit import SimUnit
from sim.vm import VmError
from sim.worlds.action import Action, Deed
from sim.worlds.day import plan
from sim.worlds.model import Model, Size

FOLDER = Path("var/demo")

_ROWS = "ABC"
_COLUMNS = 4
_PITCH_M = 1.2
_CLEARANCE_M = 1.5
_AWAY_MINUTES = 0.25
_PORT_S = 20.0
_CREW_SEED = 1

SPEED = 60.0
"""A minute of the room's day is a second."""

DAY = Model(
    # Two-coloured, the room of twelve desks has six to use.
    size=Size(seats=6, agents=PEOPLE, cleaners=CLEANERS, hours=4),
    # Short shifts and many pauses, so that something moves all the time.
    shift_h=3,
    stagger_min=20,
    pause_every_h=0.75,
    pause_min=18,
    rounds=4,
    # What lasts seconds in any day must be rarer in a day of minutes.
    passers=12 / SPEED,
    misses=12 / SPEED,
    ghosts=6 / SPEED,
    visitors=0.3,
    # Enough to be seen by somebody who looks for some minutes.
    abusive=0.05,
    slips=0,
    forgets_badge=0.06,
    wrong_headset=0.12,
)
"""The demo's day."""


class DemoError(Exception):
    """The demo can't run. The message says why."""


class Demo:
    """Broker, relay, page and a room of units, until it is told to stop.

    Args:
        folder: for settings, database, logs and the units' flash.
        config: settings to use in place of the demo's own.
        seed: of the first day; later days count up.
    """

    def __init__(self, folder: Path, config: Path | None, seed: int) -> None:
        self._folder = folder.resolve()
        self._named = config
        self._seed = seed
        self._out = Console(markup=False, highlight=False, soft_wrap=True)
        self._children: list[Child] = []
        self._units: dict[str, SimUnit] = {}
        self._ports: dict[str, ControlPort] = {}
        self._began = time.monotonic()

    async def run(self) -> int:
        """Run; the exit code."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        playing = asyncio.create_task(self._play())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((playing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
        except (ChildFailedError, DemoError, VmError) as error:
            self._out.print(str(error), style="bold red")
            return 1
        finally:
            await self._end(playing, stopping)
        return 0

    async def _play(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._settings_file()
        settings = tomllib.loads(config.read_text(encoding="utf-8"))
        broker, page = _port_of(settings, "broker", 1883), _port_of(settings, "web", 8080)
        key = self._site_key()
        people = crew(_CREW_SEED)
        host = [sys.executable, "-m", "host_bridge"]
        where = ["--config", str(config)]

        await self._start("broker", [*host, "broker", *where])
        await self._listening("broker", broker)
        register = self._folder / "tags.csv"
        write_register(register, people, key)
        self._units = self._make_units(settings, broker, key)
        await self._import([*host, "registry", "import", str(register), *where])
        await self._start("relay", [*host, "relay", *where])
        await self._start("serve", [*host, "serve", *where])
        await self._listening("serve", page)
        # Last, when the relay has long subscribed: what a unit sends before anybody listens is
        # not lost, but comes again only after ten seconds.
        await asyncio.gather(*(unit.start() for unit in self._units.values()))
        await self._open_ports()
        self._out.print(
            f"\nLook at http://127.0.0.1:{page}  ({len(self._units)} desk units; "
            f"{time.monotonic() - self._began:.1f} s to start; Ctrl-C ends everything)\n",
            style="bold",
        )
        self._out.print(
            "Play along from another terminal: .venv/bin/python -m sim tell A2 "
            """'{"press":{"ms":120}}'\n"""
        )
        first = settings["site"].get("badge_in") == "badge-then-headset"
        days = self._days(people, badge_first=first)
        await _first_failure([days, *(child.watch() for child in self._children)])

    async def _days(self, people: Crew, *, badge_first: bool) -> None:
        room = Room(self._units, RealClock(), people, badge_first=badge_first, tell=self._narrate)
        for seed in range(self._seed, self._seed + 1_000_000):
            actions = day_of(seed)
            minutes = (actions[-1].at_ms - actions[0].at_ms) / 60_000 / SPEED
            day = seed - self._seed + 1
            self._out.print(
                f"day {day} ({len(actions)} happenings in {minutes:.0f} min)", style="bold"
            )
            await room.live(actions, SPEED)

    # The parts

    async def _start(self, name: str, command: list[str]) -> None:
        self._out.print(f"starting {name} ...", style="dim")
        self._children.append(await start(name, command, self._folder))

    async def _import(self, command: list[str]) -> None:
        child = await start("registry", command, self._folder)
        with contextlib.suppress(ChildFailedError):
            await child.watch()
        if child.code:
            raise DemoError(f"the tags could not be registered:\n{child.last_lines()}")

    async def _listening(self, name: str, port: int) -> None:
        """Wait until a child accepts connections; it must not end meanwhile."""
        child = next(child for child in self._children if child.name == name)
        try:
            async with asyncio.timeout(_PORT_S):
                await _first_failure([_accepts(port), child.watch()])
        except TimeoutError:
            raise DemoError(
                f"{name} does not listen on port {port} after {_PORT_S:.0f} s. Its last lines:\n"
                f"{child.last_lines()}"
            ) from None

    def _make_units(self, settings: dict[str, Any], broker: int, key: bytes) -> dict[str, SimUnit]:
        site = settings["site"]
        return {
            desk["name"]: SimUnit(
                folder=self._folder / "units" / desk["unit"],
                broker=("127.0.0.1", broker),
                site=site["name"],
                unit=desk["unit"],
                site_key=key,
            )
            for room in site["rooms"]
            for desk in room["desks"]
        }

    async def _open_ports(self) -> None:
        """A control port for each desk, and the list of them for `python -m sim tell`."""
        for desk, unit in self._units.items():
            self._ports[desk] = ControlPort(unit)
            await self._ports[desk].start()
        numbers = {desk: control.port for desk, control in self._ports.items()}
        (self._folder / "ports.json").write_text(json.dumps(numbers), encoding="utf-8")

    def _site_key(self) -> bytes:
        """The key of this demo, made once: the units' flash and the register know it too."""
        file = self._folder / "site.key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(32))
        return bytes.fromhex(file.read_text())

    def _settings_file(self) -> Path:
        if self._named:
            return self._named.resolve()
        broker, web = self._port("broker", 1883), self._port("page", 8080)
        file = self._folder / "chequer.toml"
        database = (self._folder / "chequer.db").as_posix()
        file.write_text("\n".join(_settings(broker, web, database)) + "\n")
        return file

    def _port(self, what: str, usual: int) -> int:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", usual))
            except OSError:
                with socket.socket() as free:
                    free.bind(("127.0.0.1", 0))
                    port = int(free.getsockname()[1])
                self._out.print(f"port {usual} is taken: the {what} is on {port}", style="yellow")
                return port
        return usual

    def _narrate(self, _kind: Kind, text: str, desk: str | None) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self._out.print(f"{minutes:3}:{seconds:02}  {desk or '':4}{text}")

    async def _end(self, *tasks: asyncio.Task[object]) -> None:
        """People first, then units, then the host from the page to the broker."""
        self._out.print("\nending ...", style="dim")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        (self._folder / "ports.json").unlink(missing_ok=True)
        for control in self._ports.values():
            await control.stop()
        await asyncio.gather(*(unit.stop() for unit in self._units.values()))
        for child in reversed(self._children):
            await child.end()
        self._out.print("everything has ended; what happened is kept in the database", style="dim")


def day_of(seed: int) -> list[Action]:
    """A day of the demo, from the first arrival on: whoever looks at the page sees it move."""
    coming = {Deed.BADGE_IN, Deed.SIT}
    return list(dropwhile(lambda action: action.deed not in coming, plan(DAY, seed).actions))


def _settings(broker: int, web: int, database: str) -> Iterator[str]:
    """The demo's settings: one room of twelve desks."""
    yield "# Written by `python -m sim demo` at every start."
    yield from ("[broker]", f"port = {broker}", "", "[web]", f"port = {web}", "")
    yield from ("[store]", f'url = "sqlite:///{database}"', "")
    yield from ("[site]", 'name = "demo"', 'badge_in = "badge-then-headset"')
    yield from (f"away_minutes = {_AWAY_MINUTES}", "")
    yield from ("[[site.rooms]]", 'name = "Room 1"', f"clearance = {_CLEARANCE_M}", "")
    for y, row in enumerate(_ROWS):
        for x in range(_COLUMNS):
            yield "[[site.rooms.desks]]"
            yield f'name = "{row}{x + 1}"'
            yield f'unit = "desk-{row.lower()}{x + 1}"'
            yield from (f"x = {x * _PITCH_M:.1f}", f"y = {y * _PITCH_M:.1f}", "")


def _port_of(settings: dict[str, Any], part: str, usual: int) -> int:
    return int(settings.get(part, {}).get("port", usual))


async def _accepts(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def _first_failure(work: list[Awaitable[None]]) -> None:
    """Wait for the first to end, raise what it raised, cancel the rest."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
