"""The store: SQLite and PostgreSQL side by side, nearly empty and with a million facts.

`CHEQUER_BENCH_ROWS` in the environment is how many instead of a million.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from host_bridge.contract.facts import Seat
from host_bridge.store import Batch, Incoming, Store
from host_bridge.store.engine import connect
from host_bridge.store.tables import commit_order, spans
from tests.bench.row import Row
from tests.services import Postgres

KINDS = ("SQLite", "PostgreSQL")
UNITS = 500
MANY = int(os.environ.get("CHEQUER_BENCH_ROWS", "1000000"))
BATCH = 1_000
SINGLES, BATCHES, REPEATS = 100, 15, 5
BEGIN_MS = 1_760_000_000_000

Times = dict[str, dict[str, float]]
"""Median seconds, by kind of database and what was measured."""


def rows() -> Iterator[Row]:
    """Commits of one fact, of 1,000 and of 1,000 known ones; then again with many there."""
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres().start()
        urls = dict(
            zip(KINDS, (f"sqlite:///{Path(folder)}/bench.db", server.database()), strict=True)
        )
        stores = {kind: Store.open(url) for kind, url in urls.items()}
        try:
            yield from _rows(stores)
        finally:
            for store in stores.values():
                store.close()
            server.remove()


def _rows(stores: dict[str, Store]) -> Iterator[Row]:
    loads = {kind: _Load(store) for kind, store in stores.items()}
    for load in loads.values():
        load.batch()  # connections, months, statements: made once
    few = _measure(loads)
    for kind in KINDS:
        yield Row(name=f"{kind}: commit of one fact", value=few[kind]["one"] * 1000, unit="ms")
        yield Row(
            name=f"{kind}: facts in batches of 1,000", value=BATCH / few[kind]["many"], unit="1/s"
        )
    one, many = (few["PostgreSQL"][what] / few["SQLite"][what] for what in ("one", "many"))
    yield Row(name="one fact: PostgreSQL's time to SQLite's", value=one, unit="x", limit=4)
    yield Row(name="batch of 1,000: PostgreSQL's time to SQLite's", value=many, unit="x", limit=2)
    for load in loads.values():
        load.fill(MANY)
    full = _measure(loads)
    words = {"one": "one fact", "many": "batch of 1,000", "again": "1,000 duplicates"}
    for kind in KINDS:
        for what, words_for in words.items():
            grown = full[kind][what] / few[kind][what]
            name = f"{kind}: {words_for}, {MANY:,} rows to a few thousand"
            yield Row(name=name, value=grown, unit="x", limit=3)
        since = full[kind]["since"] * 1000
        yield Row(name=f"{kind}: where the last day begins, of {MANY:,}", value=since, unit="ms")


def _measure(loads: dict[str, "_Load"]) -> Times:
    """By turns, so that what else the machine does weighs on all of them."""
    taken: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}

    def note(what: str, times: int, act: Callable[["_Load"], object]) -> None:
        for _ in range(times):
            for kind, load in loads.items():
                began = time.perf_counter()
                act(load)
                taken[kind].setdefault(what, []).append(time.perf_counter() - began)

    note("one", SINGLES, _Load.one)
    note("many", BATCHES, _Load.batch)
    note("again", BATCHES, _Load.again)
    note("since", REPEATS, _Load.since)
    return {
        kind: {what: median(times) for what, times in found.items()}
        for kind, found in taken.items()
    }


class _Load:
    """Facts of 500 units, as a relay commits them: each unit counts on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = 0
        self._last: list[Incoming] = []

    def one(self) -> None:
        """Commit one fact."""
        self._commit(1)

    def batch(self) -> None:
        """Commit a thousand."""
        self._commit(BATCH)

    def again(self) -> None:
        """Commit the same thousand once more."""
        outcome = self._store.commit(_batch(self._last))
        assert outcome.duplicates == len(self._last) > 1

    def since(self) -> None:
        """Find where the last day of the facts begins."""
        assert self._store.first_id_since(_time(self._count) - 86_400_000) >= 1

    def fill(self, count: int) -> None:
        """Put in many facts without judging them."""
        rounds = count // UNITS
        values = {"units": UNITS, "first": self._count, "last": self._count + rounds * UNITS - 1}
        self._count += rounds * UNITS
        engine = connect(self._store._engine.url, patient=True)
        with engine.execution_options(writes=True).begin() as connection:
            kind = connection.dialect.name
            connection.execute(sa.text(_FILL.format(series=_SERIES[kind])), values)
            connection.execute(sa.update(spans).values(last=spans.c.last + rounds))
            if kind == "postgresql":
                last = commit_order.c.last + rounds * UNITS
                connection.execute(sa.update(commit_order).values(last=last))
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE facts")
        engine.dispose()

    def _commit(self, count: int) -> None:
        facts = []
        for _ in range(count):
            unit, seq = f"u{self._count % UNITS}", self._count // UNITS + 1
            fact = Seat(unit=unit, boot=1, seq=seq, up=seq, age=0, occupied=seq % 2 == 1)
            facts.append(_incoming(fact, _time(self._count)))
            self._count += 1
        outcome = self._store.commit(_batch(facts))
        assert outcome.stored == count
        if count == BATCH:
            self._last = facts


_SERIES = {
    "postgresql": "generate_series(CAST(:first AS bigint), :last) AS numbers (n)",
    "sqlite": "(WITH RECURSIVE up (n) AS (SELECT :first UNION ALL SELECT n + 1 FROM up"
    " WHERE n < :last) SELECT n FROM up) AS numbers",
}
_FILL = """
INSERT INTO facts
    (id, site, unit, boot, lane, seq, type, time_ms, sure, received_ms, body)
SELECT n + 1, 's', 'u' || (n % :units), 1, 'ordinary', n / :units + 1, 'seat',
    1760000000000 + n * 1700, 'age', 1760000000000 + n * 1700,
    '{{"type":"seat","unit":"u' || (n % :units) || '","boot": 1,"seq":' || (n / :units + 1)
        || ',"up":' || (n / :units + 1) || ',"age": 0,"occupied": true}}'
FROM {series}
"""


def _time(number: int) -> int:
    """When a fact arrived: a million lie within three weeks."""
    return BEGIN_MS + number * 1_700


def _incoming(fact: Seat, at_ms: int) -> Incoming:
    return Incoming(
        site="s",
        lane="ordinary",
        fact=fact,
        time_ms=at_ms,
        sure="age",
        received_ms=at_ms,
        topic=f"chequer/v1/s/{fact.unit}/fact",
    )


def _batch(facts: list[Incoming]) -> Batch:
    return Batch(worker="bench", received=len(facts), facts=facts, dead_letters=[])
