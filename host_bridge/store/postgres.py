"""PostgreSQL: connections that never wait for ever, and what a commit does in its own way.

SQLite lets one writer in at a time. Here several commit at once, so three things are locked, always
in this order, which is why they can't wait for each other in a circle:

1. the units of the batch, in the order of their slots: what is known of a unit's streams is read,
   judged and written by one commit at a time;
2. the worker's line in the ledger;
3. the commit order: a commit takes its facts' ids from one row, which stays locked until it is
   visible. So ids become visible in ascending order, and a reader that remembers the last id it
   saw misses nothing. A sequence would hand out the ids, but not keep the order.
"""

import select
import zlib
from collections.abc import Iterable
from typing import Any

import psycopg
import sqlalchemy as sa

from host_bridge.store.errors import SchemaError
from host_bridge.store.records import Stream
from host_bridge.store.spans import Known
from host_bridge.store.tables import commit_order, facts, spans
from host_bridge.store.watchdog import Watchdog

CALL_S = 10.0
"""Seconds that a call may take, locks included, before its connection is cut."""

STATEMENT_S = 8.0
"""Seconds after which the server itself ends a statement; it can say what it waited for."""

IDLE_S = 5.0
"""Seconds within a transaction in which a client may ask nothing. One that hangs there (a stopped
process, a machine that lost its network) would keep its locks, and all other relays would wait."""

CONNECT_S = 5
"""Seconds until a server that does not answer counts as gone."""

POOL = 10
"""Connections of one `Store` at most; one more caller waits for `CONNECT_S`."""

SLOTS = 512
"""Units are locked by slots, so that the server's table of locks can't fill up however many units
a batch holds. Two units that share one only wait for each other needlessly."""

UNITS, WRITES, MONTHS = 0x43_48_01, 0x43_48_02, 0x43_48_03
"""Advisory locks, the first of their two numbers: units of a commit; other writers; partitions."""

_watchdog = Watchdog()


def engine(url: sa.URL, *, patient: bool = False) -> sa.Engine:
    """An engine for the server.

    Args:
        url: `postgresql+psycopg://...`, or `postgresql://...`, which is taken for the same.
        patient: for moving and backing up: calls may take as long as they like.

    Raises:
        SchemaError: the URL names another driver or no database.
    """
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    shown = url.render_as_string(hide_password=True)
    if url.drivername != "postgresql+psycopg" or not url.database:
        raise SchemaError(shown, "it is to read postgresql+psycopg://user@host/database")
    made = sa.create_engine(
        url,
        pool_size=POOL // 2,
        max_overflow=POOL - POOL // 2,
        pool_timeout=CONNECT_S,
        # Else each new connection asks the server for the type, before anybody watches it.
        use_native_hstore=False,
    )
    connecting = _Connecting(0.0 if patient else 1.0)
    sa.event.listen(made, "do_connect", connecting.connect)
    sa.event.listen(made, "checkout", connecting.check_out)
    sa.event.listen(made, "checkin", _release)
    sa.event.listen(made, "close", _release)
    sa.event.listen(made, "begin", _begin)
    sa.event.listen(made, "commit", _commit)
    return made


class _Connecting:
    """Makes connections and hands them out; `patience` multiplies the time-outs, 0 is no limit."""

    def __init__(self, patience: float) -> None:
        self._patience = patience

    def connect(self, _dialect: object, _record: object, args: Any, named: Any) -> Any:
        """A connection with our settings, whatever the server's defaults are."""
        named.setdefault("connect_timeout", CONNECT_S)
        # Over TCP: notice a machine that is gone although nothing is sent.
        named.setdefault("keepalives_idle", 30)
        named.setdefault("application_name", "chequer")
        connection = psycopg.connect(*args, **named)
        self._arm(connection)
        milliseconds = int(STATEMENT_S * 1000 * self._patience)
        idle = int(IDLE_S * 1000 * self._patience)
        connection.execute(
            # `on`: a commit returns when it is on the disk. READ COMMITTED: what is read under a
            # lock must be of the time after the lock was got, not of the transaction's beginning.
            "SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';"
            f"SET statement_timeout = {milliseconds}; SET lock_timeout = {milliseconds};"
            f"SET idle_in_transaction_session_timeout = {idle};"
            "SET client_encoding = 'UTF8'; SET timezone = 'UTC'"
        )
        connection.commit()
        return connection

    def check_out(self, connection: Any, _record: object, _proxy: object) -> None:
        """Hand out a connection, unless the server has meanwhile closed it."""
        self._arm(connection)
        # Nobody asked anything, so what can be read is a farewell. No round trip is needed.
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0):
            raise sa.exc.DisconnectionError("the server closed the connection")

    def _arm(self, connection: Any) -> None:
        if self._patience:
            _watchdog.arm(id(connection), connection.fileno(), CALL_S * self._patience)


def _release(connection: Any, _record: object) -> None:
    _watchdog.disarm(id(connection))


def _begin(connection: sa.Connection) -> None:
    """Writers other than commits of facts come one at a time, as on SQLite: they read, then write.

    The execution option `writes` is True for them, "facts" for a commit, "form" for a migration.
    """
    if connection.get_execution_options().get("writes") in {True, "form"}:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITES}, 0)")


def _commit(connection: sa.Connection) -> None:
    """Change the marker of `commits`, as the last thing: its row is locked from then on."""
    if connection.get_execution_options().get("writes") is True:
        connection.exec_driver_sql("UPDATE commit_order SET commits = commits + 1")


_LOCK = sa.text("SELECT pg_advisory_xact_lock(:kind, slot) FROM unnest(:slots) AS slot").bindparams(
    sa.bindparam("slots", type_=sa.ARRAY(sa.Integer))
)
_SPANS = sa.text(
    "SELECT s.site, s.unit, s.boot, s.lane, s.first, s.last, s.since_ms"
    " FROM unnest(:sites, :units, :boots, :lanes) AS w (site, unit, boot, lane)"
    " JOIN spans AS s USING (site, unit, boot, lane) ORDER BY s.first"
).bindparams(
    sa.bindparam("sites", type_=sa.ARRAY(sa.Text)),
    sa.bindparam("units", type_=sa.ARRAY(sa.Text)),
    sa.bindparam("boots", type_=sa.ARRAY(sa.BigInteger)),
    sa.bindparam("lanes", type_=sa.ARRAY(sa.Text)),
)


def lock_units(connection: sa.Connection, streams: Iterable[Stream]) -> None:
    """Wait until no other commit has to do with these streams' units; until the end of this one.

    Units and not streams, because a boot fact also writes what it tells of the boot before.
    """
    slots = {zlib.crc32(f"{each.site}/{each.unit}".encode()) % SLOTS for each in streams}
    connection.execute(_LOCK, {"kind": UNITS, "slots": sorted(slots)})


def lock_all_units(connection: sa.Connection) -> None:
    """Wait until no commit is under way, and keep others out until the end of this transaction."""
    connection.execute(_LOCK, {"kind": UNITS, "slots": list(range(SLOTS))})


def known_spans(connection: sa.Connection, streams: Iterable[Stream]) -> dict[Stream, list[Known]]:
    """The spans of all the streams, ascending, in one round trip."""
    found: dict[Stream, list[Known]] = {stream: [] for stream in streams}
    names = ("sites", "units", "boots", "lanes")
    columns = zip(*found, strict=True) if found else ((),) * 4
    wanted = {name: list(column) for name, column in zip(names, columns, strict=True)}
    for site, unit, boot, lane, *span in connection.execute(_SPANS, wanted):
        found[Stream(site, unit, boot, lane)].append(Known(*span))
    for each in found.values():
        each.sort()
    return found


def put_spans(connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Write spans, perhaps none; one that begins at the same number gives way."""
    if rows:
        names = [column.name for column in spans.columns]
        columns = zip(*rows, strict=True)
        connection.execute(
            _PUT_SPANS, {name: list(column) for name, column in zip(names, columns, strict=True)}
        )


def append_facts(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    """Write facts, perhaps none, with ids in the order in which commits become visible."""
    last = connection.execute(_NEXT, {"count": len(rows)}).scalar_one()
    if rows:
        first = last - len(rows) + 1
        copy_in(connection, facts, ({"id": first + place, **row} for place, row in enumerate(rows)))


def copy_in(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows with COPY, which takes a third of the time that INSERT takes."""
    names = [column.name for column in table.columns]
    columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, names))
    into = psycopg.sql.Identifier(table.name)
    command = psycopg.sql.SQL("COPY {} ({}) FROM STDIN").format(into, columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


def commits(connection: sa.Connection) -> object:
    """A marker that every commit changes."""
    return connection.execute(_COMMITS).scalar_one()


# One statement, because a row at a time took a third of a commit.
_PUT_SPANS = sa.text(
    "INSERT INTO spans (site, unit, boot, lane, first, last, since_ms)"
    " SELECT * FROM unnest(:site, :unit, :boot, :lane, :first, :last, :since_ms)"
    " ON CONFLICT (site, unit, boot, lane, first)"
    " DO UPDATE SET last = excluded.last, since_ms = excluded.since_ms"
).bindparams(
    *(sa.bindparam(name, type_=sa.ARRAY(sa.Text)) for name in ("site", "unit", "lane")),
    *(
        sa.bindparam(name, type_=sa.ARRAY(sa.BigInteger))
        for name in ("boot", "first", "last", "since_ms")
    ),
)
_NEXT = (
    sa.update(commit_order)
    .values(last=commit_order.c.last + sa.bindparam("count"), commits=commit_order.c.commits + 1)
    .returning(commit_order.c.last)
)
_COMMITS = sa.select(commit_order.c.commits)
_AGAIN = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "23505",  # unique violation: somebody made the same row meanwhile
}


def lost_a_race(error: Exception) -> bool:
    """Did the transaction fail only because of another one, so that it will succeed if repeated?"""
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlstate", None) in _AGAIN
