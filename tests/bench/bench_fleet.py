"""A fleet of real-firmware units on one broker and host: what each costs, and how soon it answers.

A hundred units; with `CHEQUER_FLEET=400` in the environment so many. That the ledger adds up and no
press is lost is a limit too: of zero things amiss.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uvloop

from sim.fleet.fleet import Findings, Fleet
from sim.fleet.meter import share_of_machine
from sim.fleet.report import percentile
from tests.bench.row import Row

UNITS = int(os.environ.get("CHEQUER_FLEET", "100"))
SECONDS, EVERY_S = 40.0, 40.0
FULL = 400
START_S, SHARE = 60.0, 0.8
VERDICT_MS = 1_500
"""By then a unit helps itself."""

MEGABYTE = 1_000_000


def rows() -> Iterator[Row]:
    """Start, processor, memory, answers."""
    with tempfile.TemporaryDirectory() as name:
        found = uvloop.run(Fleet(Path(name), UNITS, EVERY_S, 1, _silent).run(SECONDS))
    scale = FULL / found.units
    units = found.uses["units"]
    cores = len(os.sched_getaffinity(0))
    yield Row(name=f"fleet of {UNITS}: start", value=found.start_s, unit="s")
    yield Row(
        name=f"processor time to start {FULL} units, on all cores",
        value=found.start_cpu_s * scale / cores,
        unit="s",
        limit=START_S,
    )
    yield Row(name="a unit's processor", value=100 * units.cores / found.units, unit="% of a core")
    yield Row(
        name="a unit's memory", value=units.memory / found.units / MEGABYTE, unit="MB", limit=8
    )
    yield Row(
        name=f"share of this machine, {FULL} units and all they need",
        value=_share(found),
        unit="",
        limit=SHARE,
    )
    for percent in (50, 99):
        value = 1000 * percentile(found.verdicts, percent)
        name = f"fleet of {UNITS}: tap to verdict, percentile {percent}"
        yield Row(name=name, value=value, unit="ms", limit=VERDICT_MS)
    amiss = len(found.amiss) + len(found.unanswered)
    yield Row(name="fleet: things amiss", value=amiss, unit="", limit=0.5)


def _share(found: Findings) -> float:
    """Of the machine, were there as many units as on a large site; the host is counted as it is."""
    host = {part: use for part, use in found.uses.items() if part != "units"}
    rest = share_of_machine(host)
    return rest + (share_of_machine(found.uses) - rest) * FULL / found.units


def _silent(what: str, done: float, whole: float) -> None:
    """Nobody looks at a bar."""
