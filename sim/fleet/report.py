"""What a fleet did, for a person."""

import math
from collections.abc import Iterator

from rich.table import Table

from sim.fleet.fleet import Findings
from sim.fleet.meter import share_of_machine

_MEGABYTE = 1_000_000


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed; 0 when there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def uses(found: Findings) -> Table:
    """What each part took."""
    table = Table("part", "processes", "% of a core", "each", "memory, MB", "each")
    for part, use in found.uses.items():
        cores, memory = 100 * use.cores, use.memory / _MEGABYTE
        each = max(1, use.processes)
        table.add_row(
            part,
            str(use.processes),
            f"{cores:.1f}",
            f"{cores / each:.2f}",
            f"{memory:.1f}",
            f"{memory / each:.1f}",
        )
    memory = sum(use.memory for use in found.uses.values()) / _MEGABYTE
    machine = 100 * share_of_machine(found.uses)
    table.add_row("all", "", f"{machine:.0f} % of the machine", "", f"{memory:.0f}", "")
    return table


def lines(found: Findings) -> Iterator[str]:
    """Everything else."""
    yield (
        f"{found.units} units were up after {found.start_s:.1f} s"
        f" ({found.start_cpu_s:.0f} s of processor time), and used for {found.seconds:.0f} s."
    )
    for what, values in (("tap to verdict", found.verdicts), ("press to stored", found.stored)):
        if not values:
            yield f"{what}: nothing was measured"
            continue
        yield (
            f"{what}: median {1000 * percentile(values, 50):.0f} ms,"
            f" 99th percentile {1000 * percentile(values, 99):.0f} ms, of {len(values)}"
        )
    yield f"{found.facts} facts are stored, {found.presses} presses among them."
    yield f"{found.provisional} taps had to be answered by the unit itself."
    states = ", ".join(f"{count} {state}" for state, count in found.states.items())
    yield f"desks at the end: {states}"
    for each in found.unanswered[:5]:
        yield f"no answer within 12 s: {each}"
    for each in found.amiss:
        yield f"AMISS: {each}"
    if not found.amiss:
        yield "The ledger adds up, no press is lost, no fact is missing."
