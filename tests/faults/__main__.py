"""`python -m tests.faults [words]`: every fault (or those with a word in their name), one table.

Writes `var/faults.json`; with `--docs` the table in `docs/operations.md` too. Exit code 1 when
anything is lost, doubled, or amiss in another way.
"""

import argparse
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.faults.cell import Result, run
from tests.faults.disk import DiskError
from tests.faults.document import write
from tests.faults.faults import BOTH, FAULTS, Fault
from tests.faults.ground import Kind
from tests.services import Postgres

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "var" / "faults.json"

WORKERS = (1, 3)

Cell = tuple[Fault, int]


def cells(kind: Kind, words: list[str]) -> list[Cell]:
    """What is to be done on a database."""
    return [
        (fault, workers)
        for fault in FAULTS
        if kind in fault.kinds and (not words or any(word in fault.name for word in words))
        for workers in WORKERS
    ]


def down(
    kind: Kind,
    todo: list[Cell],
    *,
    facts: int,
    rate: float,
    tell: Callable[[Result], None],
    stop: threading.Event,
) -> list[Result]:
    """All cells of a database, one after the other."""
    server = Postgres().start() if kind == "postgresql" else None
    results = []
    try:
        for fault, workers in todo:
            if stop.is_set():
                break
            with tempfile.TemporaryDirectory(prefix="chequer-fault-") as folder:
                try:
                    result = run(fault, workers, Path(folder), server, facts=facts, rate=rate)
                except (AssertionError, DiskError, TimeoutError) as error:
                    result = _failed(fault, kind, workers, facts, error)
            results.append(result)
            tell(result)
    finally:
        if server is not None:
            server.remove()
    return results


def _failed(fault: Fault, kind: Kind, workers: int, facts: int, error: Exception) -> Result:
    """The fault did not come about: that proves nothing, so it is no success."""
    return Result(
        fault=fault.name, database=kind, relays=workers, facts=facts, sent=0, acknowledged=0,
        stored=0, lost=0, doubled=0, dead_letters=0, stood_still_s=0.0, recovered_s=None,
        amiss=[f"the fault did not come about: {error!r}"], took_s=0.0,
    )  # fmt: skip


def table(results: list[Result]) -> Table:
    """A row for each cell; what is not good is marked by a word too."""
    shown = Table(
        "fault", "database", "relays", "sent", "acknowledged", "stored", "lost", "doubled",
        "stood still", "recovered",
    )  # fmt: skip
    for row in results:
        recovered = "never" if row.recovered_s is None else f"{row.recovered_s:.1f} s"
        amounts = (row.sent, row.acknowledged, row.stored, row.lost, row.doubled)
        shown.add_row(
            row.fault,
            row.database,
            str(row.relays),
            *(f"{amount:,}" for amount in amounts),
            f"{row.stood_still_s:.1f} s",
            recovered if row.good else f"{recovered} BROKEN",
            style="" if row.good else "red",
        )
    return shown


def report(results: list[Result], facts: int, rate: float) -> None:
    """Write what came of it where other programs can read it."""
    REPORT.parent.mkdir(exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    what = {"at": at, "facts": facts, "rate": rate, "rows": results}
    REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(what), indent=1) + b"\n")


def main(arguments: list[str]) -> int:
    """Run, print, write; how many cells are not good."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults with one of these in their name")
    parser.add_argument("--facts", type=int, default=5_000, help="of a cell (default: 5,000)")
    parser.add_argument("--rate", type=float, default=1_000, help="facts a second of a cell")
    parser.add_argument("--docs", action="store_true", help="write docs/operations.md too")
    asked = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 130)
    results = everything(console, asked.words, asked.facts, asked.rate)
    console.print(table(results))
    report(results, asked.facts, asked.rate)
    if asked.docs:
        write(results)
    return sum(1 for result in results if not result.good)


def everything(console: Console, words: list[str], facts: int, rate: float) -> list[Result]:
    """All cells, with a bar that shows how far it is; in the order of the faults."""
    todo = {kind: cells(kind, words) for kind in BOTH}
    total = sum(map(len, todo.values()))
    stop = threading.Event()
    bar = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(TextColumn("{task.description:42}"), *bar, console=console) as progress,
        # The databases side by side: most of a cell is waiting.
        ThreadPoolExecutor(len(todo)) as threads,
    ):
        task = progress.add_task("faults", total=total)

        def tell(result: Result) -> None:
            progress.update(task, advance=1, description=result.fault)
            where = f"{result.fault}, {result.database}, relays: {result.relays}"
            if not console.is_terminal:
                console.print(f"{where}: {result.took_s:.0f} s")
            for said in result.amiss:
                console.print(f"{where}: {said}")

        work = [
            threads.submit(down, kind, each, facts=facts, rate=rate, tell=tell, stop=stop)
            for kind, each in todo.items()
            if each
        ]
        try:
            results = [result for each in work for result in each.result()]
        finally:
            # After Ctrl-C the cells that are at work come to their end, and no more begin.
            stop.set()
    order = [fault.name for fault in FAULTS]
    return sorted(results, key=lambda row: order.index(row.fault))


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
