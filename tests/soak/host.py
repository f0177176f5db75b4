"""Relay and store for a long time, under load and random faults.

`python -m tests.soak.host --minutes 15 --rate 2000` lets simulated units report at that rate, while
faults come at random times, the same for the same `--seed`. Prints a line a minute; writes
`var/soak-host.json` and draws memory and lag into `var/soak-host.svg`. Exit code 1 when anything is
lost or doubled, or when the memory of a relay has grown by more than `GROWTH`.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import psutil

from tests.bench.row import percentile
from tests.faults import account
from tests.faults.faults import FAULTS, Fault
from tests.faults.ground import SITE, Ground
from tests.host_bridge.unit_stream import Units
from tests.services import Postgres
from tests.soak.host_picture import draw

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "var" / "soak-host.json"
PICTURE = ROOT / "var" / "soak-host.svg"

UNITS = 100
PRESSES = 20
"""One fact of so many is a press."""
PATIENCE_S = 10.0
"""After so long a unit sends again, as the firmware does."""
SAMPLE_S = 1.0
QUIET_S = (20.0, 70.0)
"""Between two faults."""
WARM_S = 120.0
"""What a relay has taken by then is no growth."""
GROWTH = 0.3
LAST_S = 300.0
"""How long the units may take at the end until everything is acknowledged."""

LEFT_OUT = ("bad input", "no connection")
"""Not in a soak: the first fills the dead letters, the second cuts our own questions too."""


class Sample(msgspec.Struct, frozen=True):
    """One look. Times in seconds since the beginning, memory in MiB, the rest in facts."""

    at: float
    relays_mib: float
    broker_mib: float
    waiting: int
    lag_s: float
    press_lag_s: float = 0.0


class Happened(msgspec.Struct, frozen=True):
    """A fault, from the beginning to the end of its cause, and when the lag was gone."""

    name: str
    begin: float
    end: float
    calm: float | None


class Soak(msgspec.Struct):
    """What came of it."""

    minutes: float
    rate: float
    seed: int
    database: str
    relays: int
    facts: int = 0
    sent: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    lag_calm_s: float = 0.0
    """The 99th percentile of the lag outside of faults."""
    press_lag_calm_s: float = 0.0
    """The same of presses alone."""
    growth: float = 0.0
    """Of the relays' memory since `WARM_S`: 0.1 is a tenth more."""
    bytes_a_fact: int = 0
    """What the database takes."""
    amiss: list[str] = []
    samples: list[Sample] = []
    faults: list[Happened] = []

    @property
    def good(self) -> bool:
        """Nothing lost, doubled or amiss."""
        return not (self.lost or self.doubled or self.amiss)


class Watcher(threading.Thread):
    """Takes a sample now and then."""

    def __init__(self, soak: Soak, ground: Ground, units: Units, began: float) -> None:
        super().__init__(daemon=True)
        self._soak, self._ground, self._units, self._began = soak, ground, units, began
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_S):
            relays = sum(_mib(each.pid) for each in list(self._ground.relays.values()))
            broker = self._ground.broker.process
            self._soak.samples.append(
                Sample(
                    round(time.monotonic() - self._began, 1),
                    round(relays, 1),
                    round(_mib(broker.pid) if broker else 0.0, 1),
                    self._units.waiting(),
                    round(self._units.lag(), 2),
                    round(self._units.lag("button"), 2),
                )
            )

    def stop(self) -> None:
        self._over.set()
        self.join()


def _mib(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def soak(what: Soak, folder: Path, server: Postgres | None) -> None:
    """Let it run; `what` is filled in."""
    seconds = what.minutes * 60
    what.facts = int(seconds * what.rate) // UNITS * UNITS
    each = what.facts // UNITS
    chance = random.Random(what.seed)
    with Ground(folder, what.relays, server) as ground:
        ground.prepare()
        for name in ground.names:
            ground.start(name)
        ground.wait_for_relays()
        units = Units(
            ground.broker.port, site=SITE, count=UNITS, ordinary=each - each // PRESSES,
            button=each // PRESSES, rate=what.rate, patience=PATIENCE_S, steady=True,
        )  # fmt: skip
        began = time.monotonic()
        watcher = Watcher(what, ground, units, began)
        with units:
            watcher.start()
            _disturb(what, ground, chance, began, seconds)
            try:
                units.wait(LAST_S)
            except TimeoutError as error:
                what.amiss.append(str(error))
            watcher.stop()
        what.sent = units.sent
        what.amiss += ground.end()
        counted = account.take(ground.url, SITE, units.totals(), content=False)
        what.stored, what.lost, what.doubled = counted.stored, counted.lost, counted.doubled
        what.amiss += counted.amiss
        what.bytes_a_fact = _size(ground) // max(1, what.stored)
    _judge(what)


def _size(ground: Ground) -> int:
    """Bytes that the database has on the disk."""
    if ground.kind == "sqlite":
        return Path(ground.url.removeprefix("sqlite:///")).stat().st_size
    with ground.connect() as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(str(row[0])) if row else 0


def _disturb(
    what: Soak, ground: Ground, chance: random.Random, began: float, seconds: float
) -> None:
    """One fault after the other, and quiet between them, until the time is over."""
    faults = [
        fault
        for fault in FAULTS
        if ground.kind in fault.kinds
        and not (fault.point or fault.small_disk or fault.name.startswith(LEFT_OUT))
    ]
    while True:
        quiet = chance.uniform(*QUIET_S)
        fault = chance.choice(faults)
        # The last minute is quiet, so that the end shows a relay at rest.
        if time.monotonic() - began + quiet > seconds - 60:
            _wait_until(what, began, began + seconds)
            return
        _wait_until(what, began, time.monotonic() + quiet)
        _one(what, ground, fault, began)


def _one(what: Soak, ground: Ground, fault: Fault, began: float) -> None:
    begin = time.monotonic() - began
    print(f"{begin / 60:6.1f} min  {fault.name}", flush=True)
    fault.act(ground)
    end = time.monotonic() - began
    what.faults.append(Happened(fault.name, round(begin, 1), round(end, 1), None))


def _wait_until(what: Soak, began: float, moment: float) -> None:
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, 60 - (time.monotonic() - began) % 60 + 0.1))
        if what.samples and int(time.monotonic() - began) % 60 == 0:
            now = what.samples[-1]
            print(
                f"{now.at / 60:6.1f} min  relays {now.relays_mib:.0f} MiB, {now.waiting:,} waiting,"
                f" lag {now.lag_s:.1f} s",
                flush=True,
            )


def _judge(what: Soak) -> None:
    """When each fault was got over, the lag in between, and whether memory has grown."""
    calm = [sample for sample in what.samples if sample.lag_s < 3.0]
    what.faults = [
        msgspec.structs.replace(
            fault, calm=next((sample.at for sample in calm if sample.at >= fault.end), None)
        )
        for fault in what.faults
    ]
    quiet = [
        sample
        for sample in what.samples
        if not any(each.begin <= sample.at <= (each.calm or sample.at) for each in what.faults)
    ]
    if quiet:
        what.lag_calm_s = percentile([sample.lag_s for sample in quiet], 99)
        what.press_lag_calm_s = percentile([sample.press_lag_s for sample in quiet], 99)
    warm = [s.relays_mib for s in what.samples if WARM_S - 60 <= s.at <= WARM_S]
    last = [s.relays_mib for s in what.samples if s.at >= what.samples[-1].at - 30]
    if warm and last:
        what.growth = round(max(last) / max(warm) - 1, 3)
        if what.growth > GROWTH:
            what.amiss.append(f"the relays' memory has grown by {what.growth:.0%}")


def main(arguments: list[str]) -> int:
    """Run, print, write; 1 when anything is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.host", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rate", type=float, default=2_000, help="facts a second")
    parser.add_argument("--seed", type=int, default=1, help="which faults come, and when")
    parser.add_argument("--relays", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument(
        "--folder", type=Path, help="where SQLite's file lies; else a temporary one"
    )
    asked = parser.parse_args(arguments)
    what = Soak(asked.minutes, asked.rate, asked.seed, asked.database, asked.relays)
    server = Postgres().start() if asked.database == "postgresql" else None
    try:
        with tempfile.TemporaryDirectory(prefix="chequer-soak-", dir=asked.folder) as folder:
            soak(what, Path(folder), server)
    finally:
        if server is not None:
            server.remove()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.encode(what))
    draw(what.samples, [(each.name, each.begin, each.end) for each in what.faults], PICTURE)
    print(
        f"{what.facts:,} facts, {what.sent:,} sent, {what.stored:,} stored, {what.lost} lost,"
        f" {what.doubled} doubled; {len(what.faults)} faults; lag between them"
        f" {what.lag_calm_s:.1f} s at the 99th percentile, of presses"
        f" {what.press_lag_calm_s:.1f} s; memory {what.growth:+.0%};"
        f" {what.bytes_a_fact} bytes a fact"
    )
    for words in what.amiss:
        print(f"AMISS: {words}")
    return 0 if what.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
