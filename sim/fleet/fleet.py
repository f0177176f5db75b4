"""A fleet: broker, relay, director and units of one site, started, lived in, measured, ended."""

import asyncio
import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from sim.fleet.life import Life, Tally
from sim.fleet.meter import Meter, Use, spent
from sim.fleet.site import crew, rooms
from sim.ports import free_port
from sim.scenario.engine import PARTS
from sim.scenario.real_broker import RealBroker
from sim.scenario.real_host import RealHost
from sim.scenario.site import SITE, Cards, settings, unit_of
from sim.unit import SimUnit

_AT_ONCE = 12
_GUIDED_S = 60.0
_REST_S = 20.0
_SETTLE_S = 30.0
_FILES_EACH, _FILES_MORE = 8, 256
_LOOK_S = 0.5

Progress = Callable[[str, float, float], None]
"""Told what goes on, how much of it is done, and how much there is to do."""


class Findings(msgspec.Struct, frozen=True):
    """What a fleet did, and what it took.

    Attributes:
        units: how many there are.
        start_s: seconds from the start of the first unit until the last one showed guidance.
        start_cpu_s: processor time of everything until then, seconds. Where nobody else needs
            the machine, starting takes this divided by its cores.
        seconds: for how long it was measured.
        uses: part -> what it took while it was measured.
        verdicts, stored: seconds, see `Tally`.
        unanswered: see `Tally`.
        presses: how many were made.
        facts: how many facts the host has, all types.
        provisional: taps for which a unit had to help itself.
        states: state of the page -> how many desks are in it at the end.
        amiss: everything that is not as it must be, in words; empty when all is well.
    """

    units: int
    start_s: float
    start_cpu_s: float
    seconds: float
    uses: dict[str, Use]
    verdicts: list[float]
    stored: list[float]
    unanswered: list[str]
    presses: int
    facts: int
    provisional: int
    states: dict[str, int]
    amiss: list[str]


class Fleet:
    """So many units and all that they need, in a folder of their own.

    Args:
        folder: empty; flash, logs and database stay in it.
        units: how many.
        every: mean time between two happenings at one desk, seconds.
        seed: of people's cards and habits.
        progress: is told how far it is.
    """

    def __init__(
        self, folder: Path, units: int, every: float, seed: int, progress: Progress
    ) -> None:
        self._every = every
        self._seed = seed
        self._progress = progress
        self._folder = folder
        site = rooms(units)
        self._cards = Cards(crew(site), seed)
        config, database, web = folder / "chequer.toml", folder / "var" / "chequer.db", free_port()
        self._broker = RealBroker(folder, config)
        self._host = RealHost(folder, config, database, web)
        config.write_text(settings(site, self._broker.port, web, database))
        self._units = {
            desk: SimUnit(
                folder=folder / "units" / unit_of(desk),
                broker=("127.0.0.1", self._broker.port),
                site=SITE,
                unit=unit_of(desk),
                site_key=self._cards.key,
                doze=True,
            )
            for desk in site.desks
        }

    async def run(self, seconds: float) -> Findings:
        """Start everything, live for so long, see what came of it, end everything.

        Raises:
            EngineError: broker or host did not start.
            VmError: a unit did not start.
            TimeoutError: units showed no guidance within a minute.
        """
        _allow_files(len(self._units))
        try:
            await self._start_host()
            began = time.monotonic()
            await self._start_units()
            start = (time.monotonic() - began, spent(self._processes()))
            await self._rest()
            return await self._measure(seconds, start)
        finally:
            await self._end()

    async def _start_host(self) -> None:
        self._progress("starting the host", 0, 1)
        register = self._folder / "tags.csv"
        register.write_text(self._cards.register())
        await asyncio.gather(
            self._broker.start(), self._host.register(register, register.read_text())
        )
        for part in PARTS:
            await self._host.start(part)
        self._progress("starting the host", 1, 1)

    async def _start_units(self) -> None:
        """Start all, several at a time; returns when the last one knows about its seat."""
        room, up = asyncio.Semaphore(_AT_ONCE), 0

        async def one(unit: SimUnit) -> None:
            nonlocal up
            async with room:
                await unit.start()
            await unit.wait_for_ring(lambda ring: any(map(any, ring)), _GUIDED_S)
            up += 1
            self._progress("starting units", up, len(self._units))

        async with asyncio.TaskGroup() as group:
            for unit in self._units.values():
                group.create_task(one(unit))

    async def _rest(self) -> None:
        """Until starting is over for the units too."""
        began = time.monotonic()
        while (gone := time.monotonic() - began) < _REST_S:
            self._progress("coming to rest", gone, _REST_S)
            await asyncio.sleep(_LOOK_S)
        self._progress("coming to rest", _REST_S, _REST_S)

    async def _measure(self, seconds: float, start: tuple[float, float]) -> Findings:
        tally = Tally()
        pids = {desk: unit.pid for desk, unit in self._units.items()}
        meter = Meter(self._processes())
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for desk, unit in self._units.items():
                dice = random.Random(f"{self._seed} {desk}")  # noqa: S311 (no secrets)
                life = Life(desk, unit, self._cards, self._every, dice, tally)
                group.create_task(life.live(seconds))
            while (gone := time.monotonic() - began) < seconds:
                self._progress("measuring", gone, seconds)
                await asyncio.sleep(_LOOK_S)
        lasted = time.monotonic() - began
        uses = meter.read()
        self._progress("measuring", seconds, seconds)
        amiss = await self._settle(tally)
        amiss += [
            f"{d} was started again" for d, unit in self._units.items() if unit.pid != pids[d]
        ]
        states = await self._states()
        return Findings(
            units=len(self._units),
            start_s=start[0],
            start_cpu_s=start[1],
            seconds=lasted,
            uses=uses,
            verdicts=tally.verdicts,
            stored=tally.stored,
            unanswered=tally.unanswered,
            presses=sum(tally.presses.values()),
            facts=self._count("SELECT count(*) FROM facts"),
            provisional=self._count("SELECT count(*) FROM facts WHERE type = 'provisional'"),
            states=states,
            amiss=amiss + ([f"{n} desks are offline"] if (n := states.get("offline", 0)) else []),
        )

    def _processes(self) -> dict[str, list[int]]:
        units = [unit.pid for unit in self._units.values() if unit.pid is not None]
        broker = [self._broker.pid] if self._broker.pid is not None else []
        found = {"units": units, "broker": broker}
        found |= {str(part): [self._host.pid(part)] for part in PARTS}
        return found | {"launcher": [os.getpid()]}

    async def _settle(self, tally: Tally) -> list[str]:
        """What is still amiss when everything has had time to arrive."""
        until = time.monotonic() + _SETTLE_S
        self._progress("everything arrives", 0, _SETTLE_S)
        while (amiss := await self._amiss(tally)) and time.monotonic() < until:
            self._progress("everything arrives", _SETTLE_S - until + time.monotonic(), _SETTLE_S)
            await asyncio.sleep(_LOOK_S)
        self._progress("everything arrives", _SETTLE_S, _SETTLE_S)
        return amiss

    async def _amiss(self, tally: Tally) -> list[str]:
        amiss = [
            f"relay {worker}: received {received}, accounted for {accounted}"
            for worker, received, accounted in self._host.rows(
                "SELECT worker, received, stored + duplicates + dead_letters FROM ledger"
            )
            if received != accounted
        ]
        stored = {
            str(unit): int(str(count))
            for unit, count in self._host.rows(
                "SELECT unit, count(*) FROM facts WHERE type = 'press' GROUP BY unit"
            )
        }
        amiss += [
            f"{desk}: {made} presses were made, {stored.get(unit_of(desk), 0)} are stored"
            for desk, made in tally.presses.items()
            if stored.get(unit_of(desk), 0) != made
        ]
        if gap := await self._host.gaps():
            amiss.append(f"{gap} facts are missing")
        if dead := self._count("SELECT count(*) FROM dead_letters"):
            amiss.append(f"{dead} messages were not understood")
        return amiss

    async def _states(self) -> dict[str, int]:
        page = await self._host.rooms()
        return dict(Counter(page.state(desk) for desk in self._units).most_common())

    def _count(self, query: str) -> int:
        ((found,),) = self._host.rows(query) or [(0,)]
        return int(str(found))

    async def _end(self) -> None:
        self._progress("ending", 0, 1)
        await asyncio.gather(*(unit.stop() for unit in self._units.values()))
        await asyncio.gather(*(self._host.end(part) for part in PARTS))
        await self._broker.end()
        self._progress("ending", 1, 1)


def _allow_files(units: int) -> None:
    """As many open files as the fleet needs, the broker's included: it inherits the limit."""
    wanted = _FILES_EACH * units + _FILES_MORE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
