"""One scenario from beginning to end: a fresh world, the story, and what came of it."""

import asyncio
import shlex
import shutil
import tempfile
import time
from pathlib import Path

from sim.scenario.errors import EngineError
from sim.scenario.play import Player
from sim.scenario.real import RealClock, RealEngine
from sim.scenario.record import Event, Failure, Outcome, Record, Result
from sim.scenario.site import unit_of
from sim.scenario.story import Scenario

LONGEST_S = 900.0
"""A story that takes longer has got stuck."""


async def tell(scenario: Scenario, keep: Path | None) -> Result:
    """Tell a scenario; with `keep`, logs, database and flash stay in a folder below it."""
    folder = _folder(scenario, keep)
    clock = RealClock()
    record = Record(clock.now)
    began = time.monotonic()
    failures: list[Failure] = []
    outcome: Outcome = "broken"
    try:
        async with (
            asyncio.timeout(LONGEST_S),
            RealEngine(scenario, folder, clock, record) as engine,
        ):
            failures = await Player(scenario, engine, record).play()
            outcome = "failed" if failures else "passed"
            record.events += _facts(scenario, engine, clock)
    except EngineError as error:
        failures = [Failure(0, "the simulated site comes up and stays up", str(error))]
    except TimeoutError:
        failures = [Failure(0, f"an end within {LONGEST_S:.0f} s", "it goes on and on")]
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
        replay=replay(scenario),
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


def replay(scenario: Scenario) -> str:
    """The command that tells the same again."""
    slow = " --slow" if scenario.slow else ""
    return f"chequer simulate {shlex.quote(str(scenario.file))} --seed {scenario.seed}{slow}"


def _folder(scenario: Scenario, keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="chequer-"))
    folder = keep.resolve() / f"{scenario.file.stem}-{scenario.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _facts(scenario: Scenario, engine: RealEngine, clock: RealClock) -> list[Event]:
    """The facts that are stored, where the host puts them in time."""
    desks = {unit_of(desk): desk for desk in scenario.site.desks}
    offset = clock.unix() - clock.now()
    rows = engine.host.rows("SELECT unit, type, time_ms FROM facts ORDER BY id")
    return [
        Event(max(0.0, int(str(ms)) / 1000 - offset), desks[str(unit)], "fact", str(kind))
        for unit, kind, ms in rows
        if unit in desks
    ]
