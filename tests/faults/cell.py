"""One cell of the table: a fault, a database, a number of relays, and what came of it."""

import time
from pathlib import Path

import msgspec

from tests.faults import account, rubbish
from tests.faults.faults import FIRST, TIMES, Fault
from tests.faults.ground import PATIENCE_S, SITE, UNITS, Ground, Kind, Watch
from tests.host_bridge.unit_stream import Units
from tests.services import Postgres

PATIENT_S = 90
"""After so long everything must be acknowledged."""


class Result(msgspec.Struct, frozen=True):
    """What came of a cell. Counted in facts, and in seconds."""

    fault: str
    database: Kind
    relays: int
    facts: int
    """Facts that there were."""
    sent: int
    """Facts that were sent, repeats included."""
    acknowledged: int
    stored: int
    lost: int
    doubled: int
    dead_letters: int
    stood_still_s: float
    """The longest time in which nothing was acknowledged although something waited."""
    recovered_s: float | None
    """From the end of the cause until all that had been sent by then was acknowledged."""
    amiss: list[str]
    took_s: float

    @property
    def good(self) -> bool:
        """Nothing lost, nothing doubled, everything acknowledged, nothing else amiss."""
        return not (self.lost or self.doubled or self.amiss) and self.acknowledged == self.facts


def run(
    fault: Fault, workers: int, folder: Path, server: Postgres | None, *, facts: int, rate: float
) -> Result:
    """Let a fault happen once a fifth of the load is acknowledged.

    Args:
        fault: what happens.
        workers: how many relays there are.
        folder: an empty one.
        server: PostgreSQL; None for SQLite.
        facts: how many the units have, a tenth of them presses.
        rate: facts a second that they send.
    """
    began = time.monotonic()
    each = facts // UNITS
    with Ground(folder, workers, server) as ground:
        ground.prepare(small_disk=fault.small_disk)
        for name in ground.names:
            armed = fault.point if name == FIRST else ""
            ground.start(name, fault=f"{armed}:{TIMES}" if armed else "", hangs=fault.hangs)
        ground.wait_for_relays()
        units = Units(
            ground.broker.port, site=SITE, count=UNITS, ordinary=each - each // 10,
            button=each // 10, rate=rate, patience=PATIENCE_S,
        )  # fmt: skip
        amiss: list[str] = []
        recovered = None
        with units:
            watch = Watch(units)
            watch.start()
            if not fault.point:
                units.wait(PATIENT_S, left=facts * 4 // 5)
            fault.act(ground)
            recovered = _recover(units)
            try:
                units.wait(PATIENT_S)
            except TimeoutError as error:
                amiss.append(str(error))
            still = watch.stop()
        amiss += ground.end()
        counted = account.take(ground.url, SITE, units.totals())
        amiss += counted.amiss + _odd(fault, ground, counted.dead_letters)
        return Result(
            fault=fault.name,
            database=ground.kind,
            relays=workers,
            facts=facts,
            sent=units.sent,
            acknowledged=facts - units.left(),
            stored=counted.stored,
            lost=counted.lost,
            doubled=counted.doubled,
            dead_letters=counted.dead_letters,
            stood_still_s=round(still, 1),
            recovered_s=recovered,
            amiss=amiss,
            took_s=round(time.monotonic() - began, 1),
        )


def _recover(units: Units) -> float | None:
    """Seconds until everything is acknowledged that has been sent until now."""
    now, mark = time.monotonic(), units.mark()
    while not units.is_past(mark):
        if time.monotonic() > now + PATIENT_S:
            return None
        time.sleep(0.01)
    return round(time.monotonic() - now, 1)


def _odd(fault: Fault, ground: Ground, dead_letters: int) -> list[str]:
    """What should have become of bad input; without any there are no dead letters."""
    if fault.name != "bad input at speed":
        return [f"{dead_letters} dead letters"] if dead_letters else []
    there = (account.kept(ground.url, rubbish.SITE), account.letters(ground.url))
    if there == rubbish.expected():
        return []
    wanted = rubbish.expected()
    return [f"of bad input {there} facts and letters were kept instead of {wanted}"]
