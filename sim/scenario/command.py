"""`python -m sim simulate`: scenarios told, watched and reported."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sim.explore import command as exploring
from sim.faults.catalogue import listing
from sim.scenario.errors import ScenarioFileError
from sim.scenario.read import read
from sim.scenario.record import Result
from sim.scenario.report import FORMATS, write
from sim.scenario.story import Scenario
from sim.scenario.tell import skipped, tell
from sim.virtual.tell import tell_virtually
from sim.vm import ROOT

Tell = Callable[[Scenario, Path | None], Awaitable[Result]]
FOLDER = ROOT / "sim" / "scenarios"
FAILED, USAGE, STOPPED = 1, 2, 130
_MARKS = {
    "passed": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "broken": "[red]![/]",
    "skipped": "[dim]-[/]",
}


def simulate(  # noqa: PLR0917 (options, never given by position)
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE...]", help="Scenarios, or folders of them; else all of ours."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="In place of each file's own seed.")
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write a report: FILE.html, FILE.json or FILE.xml (JUnit). Repeatable."),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep logs, databases and flash in this folder.")
    ] = None,
    slow: Annotated[bool, typer.Option("--slow", help="Tell the slow ones too.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="How many at the same time: 1, or each core an explorer."),
    ] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="List every fault by name, and run nothing.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only read the files.")] = False,
    virtual: Annotated[
        bool,
        typer.Option("--virtual", help="In virtual time: much faster, and the same each time."),
    ] = False,
    explore: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100_000,
            metavar="N",
            help="In place of files: N stories by chance with random faults, from --seed on, in "
            "virtual time; the first that breaks is made short, for --keep or this folder.",
        ),
    ] = None,
) -> None:
    """Tell scenarios to the real firmware, a real broker and the real host.

    Exit codes: 0 all passed; 1 some did not; 2 a file or an option makes no sense, and nothing
    was run; 130 stopped by Ctrl-C.
    """
    err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    if faults:
        print("\n".join(listing()))
        return
    reports = report or []
    if explore:
        if files or reports or check:
            err.print("--explore tells stories of its own: it takes no FILE, --report or --check")
            raise typer.Exit(USAGE)
        raise typer.Exit(exploring.explore(explore, seed or 1, jobs, keep or Path()))
    if wrong := [str(path) for path in reports if path.suffix not in FORMATS]:
        err.print(f"{', '.join(wrong)}: a report ends in {', '.join(FORMATS)}")
        raise typer.Exit(USAGE)
    try:
        scenarios = [read(file, seed) for file in _files(files or [FOLDER])]
    except ScenarioFileError as error:
        err.print(f"{error}\nNothing was run.")
        raise typer.Exit(USAGE) from error
    if check:
        print(f"{len(scenarios)} scenarios make sense.")
        return
    try:
        with ProcessPoolExecutor(
            jobs or 1, get_context("spawn")
        ) as pool:  # starts none unless asked
            run = partial(_in_process, pool) if virtual else tell
            results = asyncio.run(_tell_all(scenarios, keep, run, slow=slow, jobs=jobs or 1))
    except (KeyboardInterrupt, asyncio.CancelledError):
        err.print("Stopped; no report was written.")
        raise typer.Exit(STOPPED) from None
    for path in reports:
        write(path, results)
    raise typer.Exit(0 if all(r.outcome in {"passed", "skipped"} for r in results) else FAILED)


def _files(given: list[Path]) -> list[Path]:
    """Files and what is in folders, in order.

    Raises:
        ScenarioFileError: there is no such thing, or nothing in it.
    """
    found: list[Path] = []
    for path in given:
        inside = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not inside:
            raise ScenarioFileError(path, 0, "expected a folder with *.yaml files in it")
        found += inside
    here = Path.cwd()
    return [path.relative_to(here) if path.is_relative_to(here) else path for path in found]


async def _in_process(pool: ProcessPoolExecutor, scenario: Scenario, keep: Path | None) -> Result:
    """In virtual time each story has a process: its clock stands still while it works."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool, tell_virtually, scenario, keep)


async def _tell_all(
    scenarios: list[Scenario], keep: Path | None, run: Tell, *, slow: bool, jobs: int
) -> list[Result]:
    """Tell them, several at a time, with a bar; in the order in which they were given."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    room = asyncio.Semaphore(jobs)
    with _bar() as bar:
        whole = bar.add_task("scenarios", total=len(scenarios))

        async def one(scenario: Scenario) -> Result:
            untold = scenario.needs == ("virtual time" if run is tell else "real time")
            if untold or (scenario.slow and not slow):
                result = skipped(scenario)
            else:
                async with room:
                    bar.update(whole, description=scenario.title[:48])
                    result = await run(scenario, keep)
            bar.advance(whole)
            _say(bar.console, result)
            return result

        results = await asyncio.gather(*(one(scenario) for scenario in scenarios))
        _sum_up(bar.console, results)
    return results


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(highlight=False, soft_wrap=True),
        disable=not sys.stdout.isatty(),
    )


def _say(console: Console, result: Result) -> None:
    """A line for what came of it; more when it went wrong."""
    console.print(_MARKS[result.outcome], end=" ")
    time = f"{result.seconds:.1f} s" if result.outcome != "skipped" else result.why_skipped
    if result.facts:
        speed = result.told / max(result.seconds, 0.001)
        time += f", {speed:.0f} times real time, digest {result.facts.digest[:16]}"
    console.print(f"{result.title}  ({time})", markup=False)
    for failure in result.failures:
        where = f"{result.file}:{failure.line}" if failure.line else result.file
        console.print(f"    {where}", markup=False)
        console.print(f"      expected  {failure.expected}", markup=False)
        console.print(f"      seen      {failure.seen}", markup=False)
    if result.failures:
        console.print(f"      seed      {result.seed}", markup=False)
        console.print(f"      again     {result.replay}", markup=False)


def _sum_up(console: Console, results: list[Result]) -> None:
    counts = {each: sum(r.outcome == each for r in results) for each in _MARKS}
    told = ", ".join(f"{count} {each}" for each, count in counts.items() if count)
    console.print(f"{told} of {len(results)} scenarios", markup=False)
