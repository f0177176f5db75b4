"""SQLite: what durability rests on, on each connection."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from host_bridge.store.errors import SchemaError, StoreUnavailableError

BUSY_TIMEOUT_MS = 5_000
"""How long SQLite waits for another process's lock before it gives up."""


def engine(url: sa.URL) -> sa.Engine:
    """An engine for the file; makes the folder that it is to lie in.

    Raises:
        SchemaError: the URL names no file.
        StoreUnavailableError: the folder can't be made.
    """
    shown = url.render_as_string(hide_password=True)
    if url.database in {None, "", ":memory:"}:
        raise SchemaError(shown, "it names no file (sqlite:///path/to/file.db)")
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(shown, f"{folder}: {error.strerror}") from error
    made = sa.create_engine(url)
    sa.event.listen(made, "connect", _settle)
    sa.event.listen(made, "begin", _begin)
    return made


def _settle(connection: Any, _record: object) -> None:
    """Set up each connection."""
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
