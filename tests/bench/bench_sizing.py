"""What docs/operations.md, "Sizing", multiplies: facts per desk, bytes per fact, costs per unit."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median

import sqlalchemy as sa

from host_bridge.contract.facts import Tag
from host_bridge.store import Batch, Incoming, Store
from host_bridge.web import ledger
from sim.worlds.day import plan
from sim.worlds.model import Model, Size
from tests.bench.row import Row
from tests.services import Postgres

DESKS = 200
SMALL, LARGE = 100, 10_000
FACTS = 20
"""Of each unit."""

NOW_MS = 1_760_000_000_000


def rows() -> Iterator[Row]:
    """Of a planned day, and of stores with the facts of many units."""
    actions = plan(Model(size=Size(seats=DESKS, agents=DESKS * 6 // 5, cleaners=9)), 1).actions
    yield Row(name="happenings at a desk in a day", value=len(actions) / DESKS, unit="")
    minutes = Counter(action.at_ms // 60_000 for action in actions)
    busiest = max(minutes.values()) / 60 / DESKS * 1_000
    yield Row(name="busiest minute of 1,000 desks", value=busiest, unit="facts/s")
    server = Postgres().start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for kind, url in (
                ("SQLite", f"sqlite:///{folder}/large.db"),
                ("PostgreSQL", server.database()),
            ):
                yield from _stored(kind, url)
    finally:
        server.remove()


def _stored(kind: str, url: str) -> Iterator[Row]:
    store = Store.open(url)
    took = []
    for first, last in ((0, SMALL), (SMALL, LARGE)):
        _fill(store, first, last)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            ledger.read(store, "s", NOW_MS)
            times.append(time.perf_counter() - began)
        took.append(median(times))
    yield Row(name=f"{kind}: bytes of a stored fact", value=_bytes(store) / LARGE / FACTS, unit="B")
    name = f"{kind}: ledger and gaps of {LARGE:,} units"
    yield Row(name=name, value=took[1] * 1000, unit="ms")
    # A hundred times the units may cost a hundred times as much, and no more.
    growth = took[1] / took[0] / (LARGE / SMALL)
    yield Row(name=f"{kind}: the same, per unit, to {SMALL} units", value=growth, unit="x", limit=2)
    store.close()


def _fill(store: Store, first: int, last: int) -> None:
    units = [f"u{number}" for number in range(first, last)]
    for start in range(0, len(units), 100):
        facts = [
            _incoming(unit, seq)
            for unit in units[start : start + 100]
            for seq in range(1, FACTS + 1)
        ]
        store.commit(Batch(worker="w", received=len(facts), facts=facts, dead_letters=[]))


def _incoming(unit: str, seq: int) -> Incoming:
    tag = f"{hash((unit, seq)) & (1 << 127) - 1:032x}"
    fact = Tag(unit=unit, boot=1, seq=seq, up=seq * 1_000, age=5, tag=tag)
    return Incoming(
        site="s", lane="ordinary", fact=fact, time_ms=NOW_MS, sure="age", received_ms=NOW_MS,
        topic=f"chequer/v1/s/{unit}/fact",
    )  # fmt: skip


def _bytes(store: Store) -> int:
    with store._engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            size = "SELECT pg_database_size(current_database())"
            return int(connection.scalar(sa.text(size)) or 0) - _EMPTY_POSTGRESQL
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


_EMPTY_POSTGRESQL = 8_400_000
"""What a database without anything in it has, about."""
