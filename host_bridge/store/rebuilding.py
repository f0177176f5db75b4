"""The tables of what is so now, made again from the facts: `chequer rebuild`.

Facts never change, so nearly all of them are read while relays go on. Only then are commits kept
out, for as long as it takes to read the few that came meanwhile, and of each unit its last facts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from host_bridge.store import postgres
from host_bridge.store.current_tables import unit_states
from host_bridge.store.engine import connect, translated
from host_bridge.store.told import Difference, Reading, differences, put_right
from host_bridge.store.transfer import Progress, must_be_current


def rebuild(url: str, progress: Progress, *, check: bool = False) -> list[Difference]:
    """Make the tables say what the facts say, or only tell where they don't.

    Args:
        url: the database.
        progress: is told how far it is, in ids of facts.
        check: change nothing.

    Returns:
        What differed, by table, site and unit.

    Raises:
        TransferError: the database has another form.
        SchemaError: the URL is none of ours.
        StoreUnavailableError: the database can't be used.
    """
    engine = connect(url, patient=True)
    try:
        must_be_current(engine)
        with translated(engine):
            return _compare(engine, progress) if check else _make(engine, progress)
    finally:
        engine.dispose()


def sample(url: str, count: int) -> list[Difference]:
    """Where the tables of so many units, taken by chance, are not what their facts say.

    Raises:
        SchemaError: the URL is none of ours.
        StoreUnavailableError: the database can't be used.
    """
    engine = connect(url)
    chosen = sa.select(unit_states.c.site, unit_states.c.unit).order_by(sa.func.random())
    try:
        with translated(engine), _snapshot(engine) as connection:
            desks = {(row.site, row.unit) for row in connection.execute(chosen.limit(count))}
            reading = Reading()
            reading.read_some(connection, sorted(desks))
            return differences(connection, *reading.told(connection), only=desks)
    finally:
        engine.dispose()


def _compare(engine: sa.Engine, progress: Progress) -> list[Difference]:
    reading = Reading()
    with _snapshot(engine) as connection:
        for last in reading.read(connection):
            progress(reading.upto, last)
        return differences(connection, *reading.told(connection))


def _make(engine: sa.Engine, progress: Progress) -> list[Difference]:
    reading = Reading()
    with engine.connect() as connection:
        for last in reading.read(connection):
            progress(reading.upto, last)
            connection.rollback()  # no snapshot is held meanwhile
    with engine.execution_options(writes="form").begin() as connection:
        if connection.dialect.name == "postgresql":
            postgres.lock_all_units(connection)
        for _ in reading.read(connection):
            pass
        return put_right(connection, reading)


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that sees one moment, beside which others write."""
    if engine.dialect.name == "postgresql":
        level = "REPEATABLE READ"
        engine = engine.execution_options(isolation_level=level, postgresql_readonly=True)
    with engine.connect() as connection, connection.begin():
        yield connection
