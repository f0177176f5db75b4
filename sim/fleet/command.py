"""`python -m sim fleet`: hundreds of units for a while, and what that takes of the machine."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sim.fleet.fleet import Findings, Fleet
from sim.fleet.report import lines, uses
from sim.fleet.site import MOST
from sim.scenario.errors import EngineError
from sim.vm import VmError

AMISS, STOPPED = 1, 130


def fleet(
    units: Annotated[int, typer.Option(min=1, max=MOST, help="How many.")] = 100,
    seconds: Annotated[float, typer.Option(min=5, max=86_400, help="For how long.")] = 60,
    every: Annotated[
        float, typer.Option(min=3, help="Seconds between two happenings at a desk, on average.")
    ] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of who does what when.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Keep logs, database and flash in this empty folder.")
    ] = None,
) -> None:
    """Run a fleet of real-firmware units on a real broker and host, and say what it took.

    At each desk somebody signs in, reports or leaves; desks are cleaned. Exit codes: 0 all is
    well; 1 something was lost, restarted or did not start; 130 stopped by Ctrl-C.
    """
    out = Console(highlight=False, soft_wrap=True)
    try:
        with tempfile.TemporaryDirectory(prefix="chequer-fleet-") as name:
            folder = keep.resolve() if keep else Path(name)
            folder.mkdir(parents=True, exist_ok=True)
            found = uvloop.run(_run(folder, units, seconds, every, seed))
    except (EngineError, VmError, TimeoutError, ExceptionGroup) as error:
        Console(stderr=True, markup=False).print(f"The fleet did not come up: {error}")
        raise typer.Exit(AMISS) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        Console(stderr=True).print("Stopped; everything has ended.")
        raise typer.Exit(STOPPED) from None
    out.print(uses(found))
    for line in lines(found):
        out.print(line, markup=False)
    raise typer.Exit(AMISS if found.amiss else 0)


async def _run(folder: Path, units: int, seconds: float, every: float, seed: int) -> Findings:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=not sys.stdout.isatty()) as bar:
        rows: dict[str, TaskID] = {}

        def progress(what: str, done: float, whole: float) -> None:
            if what not in rows:
                rows[what] = bar.add_task(what)
            bar.update(rows[what], completed=done, total=whole)

        return await Fleet(folder, units, every, seed, progress).run(seconds)
