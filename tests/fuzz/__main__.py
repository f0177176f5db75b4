"""`python -m tests.fuzz`: hostile bytes at every wire, and what came of them.

Every sequence comes from the seed, so what crashes can be had again. Exit code 1 if anything did.
"""

import json
import logging
import os
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "firmware"))

from tests.fuzz.chip_wires import CHIP_WIRES  # noqa: E402
from tests.fuzz.draw import Draw  # noqa: E402
from tests.fuzz.host_wires import HOST_WIRES  # noqa: E402
from tests.fuzz.wires import WIRES  # noqa: E402

SHOWN = 3


class Result(NamedTuple):
    """What came of a wire. `taken` sequences were good enough to be acted upon."""

    wire: str
    sequences: int
    taken: int
    crashes: int
    seconds: float


def fuzz(kind: Any, count: int, seed: int) -> Result:
    """Feed `count` sequences to a wire."""
    draw = Draw(random.Random(seed).getrandbits)
    wire = kind()
    taken = crashes = 0
    begun = time.monotonic()
    for _ in range(count):
        data = draw.hostile(wire.good)
        try:
            taken += bool(wire.feed(data, draw))
        except Exception:  # noqa: BLE001 (any of them is what is looked for)
            crashes += 1
            if crashes <= SHOWN:
                print(f"{wire.name}: {data!r}\n{traceback.format_exc()}", file=sys.stderr)
            wire = kind()
    return Result(wire.name, count, taken, crashes, time.monotonic() - begun)


def fuzz_on_vm(count: int, seed: int) -> list[Result]:
    """The unit's wires on the MicroPython VM, in one process of its own."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("micropython"),
            *("-X", "heapsize=2m", ROOT / "tests/fuzz/on_vm.py", str(count), str(seed)),
        ],
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:{ROOT}:.frozen"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [Result(*json.loads(line)) for line in done.stdout.splitlines()]


def shown(results: list[Result], title: str) -> Table:
    """A table of counts, a row for each wire."""
    table = Table("wire", "sequences", "taken for good", "crashes", "seconds", title=title)
    for result in results:
        table.add_row(
            result.wire,
            f"{result.sequences:,}",
            f"{result.taken:,}",
            str(result.crashes),
            f"{result.seconds:.1f}",
        )
    return table


def main(
    count: Annotated[int, typer.Option(help="Sequences for each wire.")] = 20_000,
    seed: Annotated[
        int | None,
        typer.Option(help="The same seed gives the same bytes; without it a new one is drawn."),
    ] = None,
    vm: Annotated[int, typer.Option(help="Sequences for each wire on the MicroPython VM.")] = 0,
    wire: Annotated[str, typer.Option(help="Only wires with this in their name.")] = "",
) -> None:
    """Fuzz every wire; print a table."""
    logging.disable()
    console = Console()
    if seed is None:
        seed = random.SystemRandom().getrandbits(32)
    console.print(f"seed {seed}")
    results = []
    for kind in (*CHIP_WIRES, *WIRES, *HOST_WIRES):
        if wire in kind.name:
            results.append(fuzz(kind, count, seed))
            done = results[-1]
            console.print(f"{done.wire}: {done.crashes} crashes in {done.seconds:.1f} s")
    console.print(shown(results, f"CPython, seed {seed}"))
    if vm:
        on_vm = fuzz_on_vm(vm, seed)
        console.print(shown(on_vm, f"MicroPython, seed {seed}"))
        results += on_vm
    raise typer.Exit(1 if any(result.crashes for result in results) else 0)


if __name__ == "__main__":
    typer.run(main)
