"""SQLite: what durability rests on, on each connection, and the statements of the hot path."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

from host_bridge.contract.facts import Lane
from host_bridge.store.errors import SchemaError, StoreUnavailableError
from host_bridge.store.records import Stream
from host_bridge.store.spans import Known
from host_bridge.store.turn import Turn, turn_of

BUSY_TIMEOUT_MS = 5_000
"""How long SQLite waits for another process's lock before it gives up."""

LOOK_S = 0.002
"""How often a writer looks whether another process has gone on."""

CACHE_KIB = 32 * 1024
"""Pages in memory, for each connection at most. A commit touches the key's index at one place for
each unit; SQLite's own 2 MB made it read and write most of those pages several times."""

CHECKPOINT_PAGES = 8_000
"""Pages in the write-ahead log (32 MB) before they are copied into the file. That is several large
commits, which touch mostly the same pages; SQLite's own 1,000 is less than one of them."""


def engine(url: sa.URL) -> sa.Engine:
    """An engine for the file; makes the folder that it is to lie in.

    Raises:
        SchemaError: the URL names no file.
        StoreUnavailableError: the folder can't be made.
    """
    shown = url.render_as_string(hide_password=True)
    if url.database in {None, "", ":memory:"}:
        raise SchemaError(shown, "it names no file (sqlite:///path/to/file.db)")
    file = Path(str(url.database))
    folder = file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(shown, f"{folder}: {error.strerror}") from error
    # Last in, first out: each connection has a cache of its own, and one that rests grows stale.
    made = sa.create_engine(url, pool_use_lifo=True)
    sa.event.listen(made, "connect", _settle)
    turn = turn_of(file)
    sa.event.listen(made, "begin", partial(_begin, turn))
    sa.event.listen(made, "checkin", partial(_end, turn))
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
    # What is deleted is overwritten: else it could be read in the file until its place is needed.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
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


def _begin(turn: Turn, connection: sa.Connection) -> None:
    """Writers take the lock at once: one that asks for it later may be refused without a wait."""
    if not connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    if not turn.take(BUSY_TIMEOUT_MS / 1000):
        raise sqlite3.OperationalError("database is locked by another writer of this process")
    noted = connection.connection.record_info
    assert noted is not None, "only a connection that has left its pool has none"
    noted["turn"] = True
    _take_lock(connection.connection.driver_connection)


def _take_lock(database: Any) -> None:
    """Begin to write, as soon as no other process does.

    SQLite's own waiting sleeps for longer and longer, up to 100 ms, and a relay leaves the file
    alone for a few milliseconds between two commits: others missed them for seconds.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    database.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
                time.sleep(LOOK_S)
            else:
                return
    finally:
        database.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def _end(turn: Turn, _connection: object, record: ConnectionPoolEntry) -> None:
    """The connection is back in the pool, whatever became of its transaction."""
    if record.record_info and record.record_info.pop("turn", False):
        turn.give()


# With few steps: the sqlite3 module gives up Python's lock around each step of a statement, and
# has to wait for it afterwards. At a step for each row the relay's other threads, which are
# receiving the next batch, would hold up the commit by milliseconds a row.

_BLOCK = 100
"""Rows in a statement; a SQLite statement takes 32,766 parameters."""

_SPANS_OF = (
    "WITH wanted (site, unit, boot, lane) AS (VALUES {}) "
    "SELECT json_group_array("
    "json_array(s.site, s.unit, s.boot, s.lane, s.first, s.last, s.since_ms)) "
    "FROM (SELECT * FROM wanted) AS w CROSS JOIN spans AS s"
    " ON s.site = w.site AND s.unit = w.unit AND s.boot = w.boot AND s.lane = w.lane"
)
_decode_spans = msgspec.json.Decoder(list[tuple[str, str, int, Lane, int, int, int]]).decode


def known_spans(connection: sa.Connection, streams: Iterable[Stream]) -> dict[Stream, list[Known]]:
    """The spans of all the streams, ascending."""
    found: dict[Stream, list[Known]] = {stream: [] for stream in streams}
    for text, values in _blocks(_SPANS_OF, list(found)):
        for site, unit, boot, lane, *span in _decode_spans(
            connection.exec_driver_sql(text, values).scalar_one()
        ):
            found[Stream(site, unit, boot, lane)].append(Known(*span))
    for spans in found.values():
        spans.sort()
    return found


def insert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]], *, replace: bool
) -> None:
    """Insert rows, perhaps none.

    Args:
        connection: within a transaction.
        table: where to; a row has a value for each of its columns but the numbered `id`.
        rows: the values.
        replace: what is there under the same primary key gives way.
    """
    names = ", ".join(column.name for column in table.columns if column.name != "id")
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    for text, values in _blocks(f"{verb} INTO {table.name} ({names}) VALUES {{}}", rows):
        connection.exec_driver_sql(text, values)


def _blocks(
    statement: str, rows: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        one = f"({', '.join('?' * len(block[0]))})"
        text = statement.format(", ".join([one] * len(block)))
        yield text, tuple(chain.from_iterable(block))
