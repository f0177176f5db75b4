"""The host: commits into a grown table."""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from host_bridge.contract.facts import Seat
from host_bridge.store import Batch, Incoming, Store
from tests.bench.row import Row

SMALL, LARGE = 1_000, 1_000_000
BATCH = 500
COMMITS = 20


def rows() -> Iterator[Row]:
    """What a commit costs at two sizes."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = _commits(Path(folder))
    yield Row(name=f"commit of {BATCH} facts at {SMALL:,} rows", value=small, unit="ms")
    yield Row(name=f"commit of {BATCH} facts at {LARGE:,} rows", value=large, unit="ms")
    yield Row(name="commit: million rows to a thousand", value=large / small, unit="", limit=3)


def _commits(folder: Path) -> tuple[float, float]:
    """Milliseconds of a commit, the median of twenty, with few rows and with many."""
    file = folder / "grown.db"
    store = Store.open(f"sqlite:///{file}")
    store.commit(_batch(0, SMALL))
    small = median(_timed(store, number) for number in range(1, COMMITS + 1))
    store.close()
    print(f"  growing a table to {LARGE:,} rows", flush=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO facts"
            " (site, unit, boot, lane, seq, type, time_ms, sure, received_ms, body)"
            " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " SELECT site, 'v' || (i % 500), boot, lane, i / 500,"
            " type, time_ms, sure, received_ms, body FROM n, (SELECT * FROM facts LIMIT 1)",
            (LARGE,),
        )
    store = Store.open(f"sqlite:///{file}")
    _timed(store, COMMITS + 1)  # its pages are read for the first time
    large = median(_timed(store, COMMITS + 1 + number) for number in range(1, COMMITS + 1))
    store.close()
    return small, large


def _timed(store: Store, number: int) -> float:
    batch = _batch(number, BATCH)
    began = time.perf_counter()
    outcome = store.commit(batch)
    took = time.perf_counter() - began
    assert outcome.stored == BATCH, outcome
    return took * 1000


def _batch(number: int, count: int) -> Batch:
    """So many facts of fifty units; another `number` gives other facts."""
    facts = [
        Incoming(
            site="s",
            lane="ordinary",
            fact=Seat(unit=f"u{i % 50}", boot=number + 1, seq=i // 50 + 1, up=i, occupied=True),
            time_ms=1_780_000_000_000 + i,
            sure="age",
            received_ms=1_780_000_000_000 + i,
            topic="chequer/v1/s/u/fact",
        )
        for i in range(count)
    ]
    return Batch(worker="bench", received=count, facts=facts, dead_letters=[])
