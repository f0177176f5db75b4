"""The store's face: open, commit, read."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import psycopg
import sqlalchemy as sa

from host_bridge.contract.facts import Lane
from host_bridge.faultpoint import reach
from host_bridge.store import gaps, latest, postgres
from host_bridge.store.commit import take
from host_bridge.store.current_tables import unit_states
from host_bridge.store.engine import connect, migrate, refusing, translated
from host_bridge.store.groups import Groups
from host_bridge.store.incidents import Incidents, stored_fact
from host_bridge.store.leases import Leases
from host_bridge.store.modes import Modes
from host_bridge.store.partitions import Parts
from host_bridge.store.plan import Plan
from host_bridge.store.records import (
    Batch,
    Gap,
    LedgerRow,
    Outcome,
    StoredDeadLetter,
    StoredFact,
    UnitNow,
    WorkerRow,
)
from host_bridge.store.registry import Registry
from host_bridge.store.retention import Retention
from host_bridge.store.tables import dead_letters, facts, ledger, workers
from host_bridge.store.updates import Updates

RACES = 3
"""How often a commit is repeated at once when it failed only because of another one."""


class Store:
    """One database. May be used from several threads and opened by several processes.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine, applied: Sequence[str]) -> None:
        """Use `open` instead."""
        self.applied = list(applied)
        """The migrations that opening it applied, oldest first."""
        self.registry = Registry(engine)
        """The register of tags."""
        self.incidents = Incidents(engine)
        """Reports of the button, and what was done about them."""
        self.modes = Modes(engine)
        """How units are to behave."""
        self.updates = Updates(engine)
        """Which unit is to have which version of the firmware."""
        self.plan = Plan(engine)
        """Where the units stand."""
        self.leases = Leases(engine)
        """Who directs a site."""
        self.groups = Groups(engine)
        """Statistics of groups, as they may be told."""
        self.retention = Retention(engine)
        """Deleting what is over its time."""
        self._engine = engine
        self._writer = engine.execution_options(writes=True)
        self._committer = engine.execution_options(writes="facts")
        self._parts = Parts(engine) if engine.dialect.name == "postgresql" else None
        self._watch: sa.PoolProxiedConnection | None = None
        self._watching = threading.Lock()
        self._commits = 0
        self._commit_s = 0.0

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database, make it if it does not exist, and bring it to this form.

        Args:
            url: an SQLAlchemy URL such as `sqlite:///var/chequer.db` or
                `postgresql+psycopg://chequer@host/chequer`.

        Raises:
            SchemaError: the URL is none of ours, or the database is of a newer version.
            StoreUnavailableError: it can't be reached or is locked.
        """
        engine = connect(url)
        return cls(engine, migrate(engine))

    def close(self) -> None:
        """Close all connections. Safe to call twice."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self._engine.dispose()

    def commit(self, batch: Batch) -> Outcome:
        """Take in a batch, durably, in one transaction: all of it or nothing.

        Raises:
            BatchRefusedError: the database will never take it as it is.
        """
        if self._parts is not None:
            self._parts.prepare({fact.received_ms for fact in batch.facts})
        began = time.monotonic()
        with translated(self._engine), refusing(self._engine):
            outcome = self._commit_in_turn(batch)
        self._commits += 1
        self._commit_s += time.monotonic() - began
        return outcome

    def _commit_in_turn(self, batch: Batch) -> Outcome:
        for _ in range(RACES):
            try:
                return self._commit(batch)
            except (sa.exc.DBAPIError, psycopg.Error) as error:
                if not postgres.lost_a_race(error):
                    raise
        return self._commit(batch)

    def _commit(self, batch: Batch) -> Outcome:
        with self._committer.begin() as connection:
            outcome = take(connection, batch)
            reach("store.in-transaction")
        return outcome

    def facts_after(self, row_id: int, limit: int) -> list[StoredFact]:
        """The facts with the next greater ids, at most `limit`, in the order of the commits."""
        rows = self._read(_FACTS_AFTER, {"after": row_id, "most": limit})
        return [stored_fact(row) for row in rows]

    def newest(self) -> int:
        """The id of the newest fact, 0 when there is none."""
        rows = self._read(sa.select(sa.func.max(facts.c.id).label("id")))
        return int(rows[0]["id"] or 0)

    def first_id_since(self, ms: int) -> int:
        """The smallest id of a fact that arrived at that time or later.

        A reader that begins there misses none of them. Some facts behind it may have arrived
        earlier: a worker that had to wait for the database commits late.

        Args:
            ms: Unix milliseconds.

        Returns:
            The id that the next fact will have at the least, when none has arrived since.
        """
        # Asked first: a fact that is committed in between is found by the second question.
        after_all = self.newest() + 1
        # `+ 0`: else the table is walked by id, from its very beginning.
        first = sa.func.min(facts.c.id + 0).label("id")
        rows = self._read(sa.select(first).where(facts.c.received_ms >= ms))
        return int(rows[0]["id"] or after_all)

    def last_of(
        self,
        site: str,
        unit: str,
        lane: Lane,
        *,
        types: Sequence[str],
        before_id: int,
        limit: int,
    ) -> list[StoredFact]:
        """The last facts of some types of a unit's lane among those with smaller ids.

        "Last" by the unit's own count, not by arrival; the latest comes first.
        """
        stream = (site, unit, lane)
        with translated(self._engine), self._engine.connect() as connection:
            rows = latest.find(connection, stream, types, before_id, limit)
        return [stored_fact(row) for row in rows]

    def changed(self) -> object:
        """A marker that differs from the last one when anything was committed since.

        Cheap enough for asking every 20 ms: some microseconds on SQLite, on PostgreSQL one row
        and a round trip. Commits of this very `Store` count too.
        """
        if self._parts is not None:
            with translated(self._engine), self._engine.connect() as connection:
                return postgres.commits(connection)
        with self._watching, translated(self._engine):
            if self._watch is None:
                # A connection of its own: SQLite's data_version tells what others committed.
                # And a bare one: within a transaction the marker would stand still.
                self._watch = self._engine.raw_connection()
            cursor = self._watch.cursor()
            cursor.execute("PRAGMA data_version")
            return cursor.fetchone()

    def ledger(self) -> list[LedgerRow]:
        """What each worker has committed since the beginning."""
        rows = self._read(sa.select(ledger).order_by(ledger.c.worker))
        return [LedgerRow(**row) for row in rows]

    def units(self, site: str) -> dict[str, UnitNow]:
        """What the facts say of each unit of a site."""
        columns = (unit_states.c[name] for name in ("unit", *UnitNow.__struct_fields__))
        rows = self._read(sa.select(*columns).where(unit_states.c.site == site))
        names = UnitNow.__struct_fields__
        return {row["unit"]: UnitNow(**{name: row[name] for name in names}) for row in rows}

    def gaps(self) -> list[Gap]:
        """Numbers that the host has never seen although the unit counted further."""
        with translated(self._engine), self._engine.connect() as connection:
            return gaps.find(connection)

    def dead_letters(self, limit: int = 100, before: int | None = None) -> list[StoredDeadLetter]:
        """The newest dead letters, or the newest with an id below `before`."""
        query = _DEAD_LETTERS.order_by(dead_letters.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(dead_letters.c.id < before)
        return [StoredDeadLetter(**row) for row in self._read(query)]

    def dead_letter(self, number: int) -> StoredDeadLetter | None:
        """One dead letter by its id."""
        rows = self._read(_DEAD_LETTERS.where(dead_letters.c.id == number))
        return StoredDeadLetter(**rows[0]) if rows else None

    def dead_letters_by_topic(self, limit: int = 10_000) -> dict[str, int]:
        """How many dead letters came on each topic, at most so many topics."""
        count = sa.func.count().label("count")
        query = sa.select(dead_letters.c.topic, count).group_by(dead_letters.c.topic).limit(limit)
        return {row["topic"]: row["count"] for row in self._read(query)}

    def workers(self) -> list[WorkerRow]:
        """What each worker last said about itself."""
        rows = self._read(sa.select(workers).order_by(workers.c.worker))
        return [WorkerRow(**row) for row in rows]

    def heartbeat(self, row: WorkerRow) -> None:
        """Write what a worker says about itself, in place of what it said before."""
        figures = {"commits": self._commits, "commit_ms": int(self._commit_s * 1000)}
        values = {name: getattr(row, name) for name in row.__struct_fields__} | figures
        with translated(self._engine), self._writer.begin() as connection:
            if connection.execute(_SAY, {"mine": row.worker, **values}).rowcount == 0:
                connection.execute(sa.insert(workers), values)

    def _read(
        self, query: sa.Select[Any], values: dict[str, object] | None = None
    ) -> Sequence[sa.RowMapping]:
        with translated(self._engine), self._engine.connect() as connection:
            return connection.execute(query, values or {}).mappings().all()


# Made once: what is asked again and again would take longer to put together than to answer.
_FACTS_AFTER = (
    sa.select(facts)
    .where(facts.c.id > sa.bindparam("after"))
    .order_by(facts.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_SAY = sa.update(workers).where(workers.c.worker == sa.bindparam("mine"))
_DEAD_LETTERS = sa.select(
    dead_letters.c.id,
    dead_letters.c.received_ms,
    dead_letters.c.topic,
    dead_letters.c.payload,
    dead_letters.c.reason,
)
