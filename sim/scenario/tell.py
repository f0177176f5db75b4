"""One scenario from beginning to end: a fresh world, the story, and what came of it."""

import asyncio
import os
import shlex
import shutil
import tempfile
import time
from pathlib import Path
from typing import Protocol, TypeVar

from sim.scenario.engine import Clock, Engine
from sim.scenario.errors import EngineError
from sim.scenario.play import Player
from sim.scenario.real import RealClock, RealEngine
from sim.scenario.record import Event, Facts, Failure, Outcome, Record, Result
from sim.scenario.site import unit_of
from sim.scenario.story import Scenario

LONGEST_S = 900.0
"""A story that takes longer has got stuck."""


_Clock = TypeVar("_Clock", bound=Clock)
_Engine = TypeVar("_Engine", bound=Engine)


class World(Protocol[_Clock, _Engine]):
    """Where scenarios are told: makes a clock, and an engine for it."""

    longest: float
    """A story that takes more seconds has got stuck."""

    def clock(self) -> _Clock:
        """A story's clock."""

    def engine(self, scenario: Scenario, folder: Path, clock: _Clock, record: Record) -> _Engine:
        """The world of one story, not yet up."""

    def made(self, engine: _Engine) -> Facts | None:
        """What is told of a story's facts at its end, if anything."""


class RealWorld:
    """This machine, in real time."""

    longest = LONGEST_S

    def clock(self) -> RealClock:
        """This machine's."""
        return RealClock()

    def engine(
        self, scenario: Scenario, folder: Path, clock: RealClock, record: Record
    ) -> RealEngine:
        """Processes of this machine."""
        return RealEngine(scenario, folder, clock, record)

    def made(self, _engine: RealEngine) -> None:
        """Real time tells the same story a little differently each time."""


async def tell(scenario: Scenario, keep: Path | None) -> Result:
    """Tell a scenario in real time; see `tell_in`."""
    return await tell_in(RealWorld(), scenario, keep)


async def tell_in(world: World[_Clock, _Engine], scenario: Scenario, keep: Path | None) -> Result:
    """Tell a scenario; with `keep`, logs, database and flash stay in a folder below it."""
    folder = _folder(scenario, keep)
    clock = world.clock()
    record = Record(clock.now)
    made: Facts | None = None
    began = time.monotonic()
    failures: list[Failure] = []
    outcome: Outcome = "broken"
    try:
        async with (
            asyncio.timeout(world.longest),
            world.engine(scenario, folder, clock, record) as engine,
        ):
            failures = await Player(scenario, engine, record).play()
            outcome = "failed" if failures else "passed"
            record.events += _facts(scenario, engine, clock)
            made = world.made(engine)
    except EngineError as error:
        failures = [Failure(0, "the simulated site comes up and stays up", str(error))]
    except TimeoutError:
        failures = [Failure(0, f"an end within {world.longest:.0f} s", "it goes on and on")]
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return Result(
        file=str(scenario.file),
        title=scenario.title,
        about=scenario.about,
        requirements=scenario.requirements,
        seed=scenario.seed,
        outcome=outcome,
        seconds=round(time.monotonic() - began, 3),
        failures=failures,
        desks=scenario.site.desks,
        events=sorted(record.events, key=lambda event: event.at),
        replay=replay(scenario, virtual=not isinstance(world, RealWorld)),
        told=round(clock.now(), 3),
        facts=made,
    )


def skipped(scenario: Scenario) -> Result:
    """A slow one that nobody asked for, or one that needs what this engine has not got."""
    return Result(
        file=str(scenario.file),
        title=scenario.title,
        about=scenario.about,
        requirements=scenario.requirements,
        seed=scenario.seed,
        outcome="skipped",
        seconds=0.0,
        failures=[],
        desks=scenario.site.desks,
        events=[],
        replay=replay(scenario),
        why_skipped=f"needs {scenario.needs}, not told" if scenario.needs else "slow, not told",
    )


def replay(scenario: Scenario, *, virtual: bool = False) -> str:
    """The command that tells the same again."""
    words = " --slow" if scenario.slow else ""
    words += " --virtual" if virtual else ""
    return f"chequer simulate {shlex.quote(str(scenario.file))} --seed {scenario.seed}{words}"


def _folder(scenario: Scenario, keep: Path | None) -> Path:
    if keep is None:
        # In memory where that can be: nothing of it outlives the story.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
        return Path(tempfile.mkdtemp(prefix="chequer-", dir=memory))
    folder = keep.resolve() / f"{scenario.file.stem}-{scenario.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _facts(scenario: Scenario, engine: Engine, clock: Clock) -> list[Event]:
    """The facts that are stored, where the host puts them in time."""
    desks = {unit_of(desk): desk for desk in scenario.site.desks}
    offset = clock.unix() - clock.now()
    rows = engine.host.rows("SELECT unit, type, time_ms FROM facts ORDER BY id")
    return [
        Event(max(0.0, int(str(ms)) / 1000 - offset), desks[str(unit)], "fact", str(kind))
        for unit, kind, ms in rows
        if unit in desks
    ]
