"""Virtual time: a shift of a whole site, as a multiple of real time.

One process works at a time (a VM, or the conductor with broker and host), so what an idle machine
would take is the processor time of all of them together. That is what the limit is for; what this
machine took besides other work is shown beside it.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sim.scenario.read import read
from sim.scenario.record import Result
from sim.virtual.tell import tell_virtually
from tests.bench.row import Row
from tests.bench.shift import story

DESKS, HOURS = 50, 8.0
SHORT_DESKS, SHORT_HOURS = 4, 0.05
LEAST = 1_000


def rows() -> Iterator[Row]:
    """The shift, and a part of it with and without what is left out."""
    name = f"virtual time, {DESKS} desks, {HOURS:g} h"
    result, taken, wall = _told(DESKS, HOURS, leave_out=True)
    assert result.facts is not None
    yield Row(
        name=f"{name}, times real time (processor time)",
        value=result.told / taken,
        unit="x",
        limit=LEAST,
        more_is_better=True,
    )
    yield Row(name=f"{name}, times real time (here, now)", value=result.told / wall, unit="x")
    yield Row(name=f"{name}, processor time", value=taken, unit="s")
    yield Row(name=f"{name}, facts stored", value=result.facts.count, unit="facts")
    short, short_taken, _ = _told(SHORT_DESKS, SHORT_HOURS, leave_out=True)
    whole, whole_taken, _ = _told(SHORT_DESKS, SHORT_HOURS, leave_out=False)
    assert short.facts == whole.facts, "leaving out what changes nothing has changed facts"
    assert short.facts is not None
    name = f"virtual time, {SHORT_DESKS} desks, {SHORT_HOURS * 60:g} min"
    yield Row(name=f"{name}, times real time", value=short.told / short_taken, unit="x")
    yield Row(name=f"{name}, nothing left out", value=whole.told / whole_taken, unit="x")
    yield Row(name=f"{name}, the same bytes both ways", value=short.facts.count, unit="facts")


def _told(desks: int, hours: float, *, leave_out: bool) -> tuple[Result, float, float]:
    """What came of it, processor seconds of all processes, seconds on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shift.yaml"
        file.write_text(story(desks, hours))
        began, used = time.monotonic(), _used()
        result = tell_virtually(read(file, None), None, leave_out=leave_out)
        wall = time.monotonic() - began
    assert result.outcome == "passed", result.failures
    print(f"  {hours:g} h told in {wall:.0f} s", file=sys.stderr)
    return result, _used() - used, wall


def _used() -> float:
    each = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in each)
