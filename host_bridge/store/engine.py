"""Opening a database: connection settings that durability rests on, and migrations."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import alembic.script
import alembic.util
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from host_bridge.store.errors import SchemaError, StoreUnavailableError

BUSY_TIMEOUT_MS = 5_000
"""How long SQLite waits for another process's lock before it gives up."""


def connect(url: str) -> sa.Engine:
    """An engine for the database; makes the folder that a SQLite file is to lie in.

    Raises:
        SchemaError: the URL is no SQLite file.
        StoreUnavailableError: the folder can't be made.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise SchemaError("in the settings", "its URL can't be read") from error
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise SchemaError(shown, "only SQLite files are supported (sqlite:///path/to/file.db)")
    folder = Path(str(parsed.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(shown, f"{folder}: {error.strerror}") from error
    engine = sa.create_engine(parsed)
    sa.event.listen(engine, "connect", _settle)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _settle(connection: Any, _record: object) -> None:
    """Set up each SQLite connection."""
    # The sqlite3 module must not begin transactions on its own: `_begin` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _use_wal(cursor)
    # NORMAL may lose a committed transaction at a power cut, and we have acknowledged it.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL; for this lock alone SQLite doesn't wait by itself."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: sa.Connection) -> None:
    """Writers take the lock at once: one that asks for it later may be refused without a wait."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def translated(engine: sa.Engine) -> Iterator[None]:
    """Turn the database's errors into `StoreUnavailableError`."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        # The driver's own words only: SQLAlchemy's would repeat the statement and its values.
        reason = str(getattr(error, "orig", None) or error)
        url = engine.url.render_as_string(hide_password=True)
        raise StoreUnavailableError(url, reason) from error


def migrate(engine: sa.Engine) -> list[str]:
    """Bring the database to this version's form, in one transaction.

    Returns:
        The revisions that were applied, oldest first; empty when there was nothing to do.

    Raises:
        SchemaError: the database is of a newer version.
        StoreUnavailableError: it can't be reached or is locked.
    """
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = alembic.script.ScriptDirectory.from_config(config)
    with translated(engine):
        if _revision(engine) == script.get_current_head():
            return []
        with engine.execution_options(writes=True).begin() as connection:
            # Read again under the lock: another process may have migrated meanwhile.
            context = MigrationContext.configure(connection)
            before = context.get_current_revision()
            _refuse_newer(engine, script, before)
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
            steps = script.iterate_revisions("head", before or "base")
            return [step.revision for step in steps][::-1]


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(
    engine: sa.Engine, script: alembic.script.ScriptDirectory, revision: str | None
) -> None:
    known = {step.revision for step in script.walk_revisions()}
    if revision is not None and revision not in known:
        url = engine.url.render_as_string(hide_password=True)
        raise SchemaError(url, f"its form {revision!r} is of a newer Chequer; install that one")
