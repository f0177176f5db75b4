"""Everything from one database into another, of either kind: all of it or nothing.

Written in one transaction, counted before its end, and only into a database that holds nothing. So
it can simply be begun again whatever happened.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from host_bridge.store import partitions, postgres
from host_bridge.store.engine import connect, current, migrate, newest, shown, translated
from host_bridge.store.errors import TransferError
from host_bridge.store.tables import commit_order, facts, metadata, workers

PORTION = 5_000
"""Rows that are in memory at a time."""

RUNNING_MS = 15_000
"""A worker that wrote something about itself this short a time ago is running (it does so at least
every 10 s)."""

DAY_MS = 86_400_000

Progress = Callable[[int, int], None]
"""Is told how many rows were written, and how many there are."""


def move(source_url: str, target_url: str, now_ms: int, progress: Progress) -> int:
    """Copy everything to another database. The source is locked meanwhile and left as it is.

    Args:
        source_url: where everything is.
        target_url: a database that holds nothing; it is brought to this version's form.
        now_ms: the host's clock, Unix milliseconds.
        progress: is told how far it is.

    Returns:
        The number of rows.

    Raises:
        TransferError: a relay is running, the target holds something, or the counts differ.
        SchemaError: a URL is none of ours.
        StoreUnavailableError: a database can't be used.
    """
    source, target = connect(source_url, patient=True), connect(target_url, patient=True)
    try:
        if source.url == target.url:
            raise TransferError("both URLs name the same database")
        must_be_current(source)
        with (
            translated(source),
            source.execution_options(writes="form").begin() as reading,
        ):
            _lock(reading, "SHARE")
            _refuse_running(reading, now_ms)
            return fill(reading, target, progress)
    finally:
        source.dispose()
        target.dispose()


def fill(reading: sa.Connection, target: sa.Engine, progress: Progress) -> int:
    """Copy everything that a connection sees into an empty database.

    Returns:
        The number of rows.

    Raises:
        TransferError: the target holds something, or the counts differ.
        StoreUnavailableError: the target can't be used.
    """
    with translated(target):
        migrate(target)
        with target.execution_options(writes="form").begin() as writing:
            _lock(writing, "EXCLUSIVE")
            _refuse_filled(writing)
            counts = {table: _count(reading, table) for table in metadata.sorted_tables}
            _make_parts(reading, writing)
            written, total = 0, sum(counts.values())
            for table in counts:
                for rows in _portions(reading, table):
                    _insert(writing, table, rows)
                    written += len(rows)
                    progress(written, total)
            _go_on_counting(writing)
            for table, count in counts.items():
                if (found := _count(writing, table)) != count:
                    raise TransferError(
                        f"{table.name} has {count} rows, and {found} of them arrived"
                    )
    return total


def must_be_current(engine: sa.Engine) -> None:
    """See to it that a database that is only read has this version's form.

    Raises:
        TransferError: it has none, or another one.
    """
    sqlite = engine.dialect.name == "sqlite"
    if sqlite and not Path(str(engine.url.database)).exists():
        raise TransferError(f"{shown(engine)} does not exist")
    with translated(engine):
        found = current(engine)
    if found is None:
        raise TransferError(f"{shown(engine)} is no database of Chequer")
    if found != newest():
        raise TransferError(
            f"{shown(engine)} has the form {found!r}, not {newest()!r} (chequer migrate)"
        )


def _lock(connection: sa.Connection, mode: str) -> None:
    """Keep writers out. On SQLite they are, since the transaction began."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.exec_driver_sql(f"LOCK TABLE {names} IN {mode} MODE")


def _refuse_running(connection: sa.Connection, now_ms: int) -> None:
    running = sa.select(workers.c.worker).where(workers.c.updated_ms > now_ms - RUNNING_MS)
    if names := connection.scalars(running).all():
        raise TransferError(
            f"{', '.join(names)} is running, or ended less than {RUNNING_MS // 1000} s ago; "
            "stop it first, and wait"
        )


def _refuse_filled(connection: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        if _count(connection, table):
            raise TransferError(
                f"{shown(connection.engine)} holds something already (in {table.name})"
            )


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _portions(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    query = sa.select(table).order_by(*table.primary_key.columns)
    result = connection.execution_options(yield_per=PORTION).execute(query)
    for rows in result.mappings().partitions():
        yield [dict(row) for row in rows]


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if connection.dialect.name == "postgresql":
        postgres.copy_in(connection, table, rows)
    else:
        connection.execute(sa.insert(table), rows)


def _make_parts(reading: sa.Connection, writing: sa.Connection) -> None:
    if writing.dialect.name == "postgresql":
        days: Iterable[int] = reading.scalars(
            sa.select(facts.c.received_ms // DAY_MS).distinct()
        ).all()
        partitions.make(writing, partitions.wanted(day * DAY_MS for day in days))


def _go_on_counting(connection: sa.Connection) -> None:
    """New rows are numbered behind those that were copied. SQLite sees to it by itself."""
    if connection.dialect.name != "postgresql":
        return
    last = sa.select(sa.func.coalesce(sa.func.max(facts.c.id), 0)).scalar_subquery()
    connection.execute(
        sa.update(commit_order).values(last=last, commits=commit_order.c.commits + 1)
    )
    for table in metadata.sorted_tables:
        numbered = table.autoincrement_column
        if numbered is None or table is facts:
            continue
        sequence = sa.func.pg_get_serial_sequence(table.name, numbered.name)
        highest = sa.select(sa.func.max(numbered)).scalar_subquery()
        connection.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(highest, 1))))
