"""`chequer simulate --explore N`: the bar, and what is said."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sim.explore.explore import Finding, first_broken, shorten, write
from sim.explore.shrink import MOST
from sim.explore.trial import Trial

FOUND, STOPPED = 1, 130
_SAY_EVERY = 20
"""Stories after which a line is said where there is no bar."""


def explore(count: int, first: int, jobs: int | None, folder: Path) -> int:
    """Tell `count` stories by chance, from seed `first` on; shrink the first that goes wrong.

    Args:
        count: how many.
        first: the first one's seed.
        jobs: how many at the same time; as many as there are cores without it.
        folder: where the short story is written.

    Returns:
        The exit code: 0 nothing found, 1 something, 130 stopped.
    """
    jobs = min(jobs or os.cpu_count() or 1, count)
    console = Console(highlight=False, soft_wrap=True)
    began = time.monotonic()
    try:
        finding, told = asyncio.run(_explore(console, range(first, first + count), jobs))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped; nothing was written.", markup=False)
        return STOPPED
    hours = sum(each.told for each in told) / 3600
    counted = f"{len(told)} stories, {hours:.1f} hours in them, {time.monotonic() - began:.0f} s"
    if finding is None:
        last = first + count - 1
        console.print(f"[green]✓[/] nothing broke: {counted}, seeds {first} to {last}")
        return 0
    file = write(finding, folder)
    _say(console, finding, file, counted)
    return FOUND


async def _explore(console: Console, seeds: range, jobs: int) -> tuple[Finding | None, list[Trial]]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    told: list[Trial] = []
    with _bar(console) as bar, _processes(jobs) as pool:
        whole = bar.add_task("stories", total=len(seeds))

        def done(trial: Trial) -> None:
            told.append(trial)
            bar.advance(whole)
            if not console.is_terminal and len(told) % _SAY_EVERY == 0:
                console.print(f"{len(told)} of {len(seeds)} stories", markup=False)

        broken = await first_broken(pool, seeds, jobs, done)
        if broken is None:
            return None, told
        console.print(f"seed {broken.seed} breaks “{broken.broken}”; it is made shorter ...")
        shrinking = bar.add_task(f"making seed {broken.seed} shorter", total=MOST)
        short = await asyncio.to_thread(
            shorten, pool, broken, lambda count: bar.update(shrinking, completed=count)
        )
        return Finding(broken, *short, tried=broken.seed - seeds[0] + 1), told


@contextmanager
def _processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes for stories; when we are stopped, what they tell is told to its end by nobody."""
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_leave_signals)
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 (no other way)
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not sys.stdout.isatty(),
    )


def _say(console: Console, finding: Finding, file: Path, counted: str) -> None:
    first, short = finding.first, finding.shrunk
    console.print(f"[red]✗[/] seed {first.seed} breaks “{first.broken}”  ({counted})")
    rest = "" if short.whole else f"; it may still be shorter, {MOST} tellings are the bound"
    wrong = finding.last.wrong
    for name, text in (
        ("seen", wrong.pop(first.broken)),
        *(("besides", f"“{sentence}”: {seen}") for sentence, seen in wrong.items()),
        ("again", f"chequer simulate --explore 1 --seed {first.seed}"),
        ("short", f"{short.plan.length} sentences, after {short.tellings} tellings{rest}"),
        ("tell it", f"chequer simulate {file} --virtual"),
    ):
        console.print(f"      {name:<8}  {text}", markup=False)
