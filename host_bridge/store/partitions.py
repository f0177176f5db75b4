"""PostgreSQL: one part of the table of facts for each month of arrival.

By arrival and not by the time of the happening: arrivals come in order, so the parts that will be
needed are known ahead; and a fact never happened after it arrived, so a part that is old enough to
be dropped holds no fact that is not.
"""

import logging
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg
import sqlalchemy as sa

from host_bridge.store.postgres import MONTHS
from host_bridge.store.tables import facts

log = logging.getLogger(__name__)

AHEAD = 2
"""How many months are made beyond the newest arrival's."""

PAUSE_S = 600.0
"""Until another try, when parts could not be made. Meanwhile facts go to `facts_rest`."""

Month = tuple[int, int]
"""Year and month, by UTC."""


def month_of(time_ms: int) -> Month:
    """The month in which a time (Unix milliseconds) lies."""
    at = datetime.fromtimestamp(time_ms / 1000, UTC)
    return at.year, at.month


def wanted(times_ms: Iterable[int]) -> set[Month]:
    """The months of some arrivals, and those ahead of the newest."""
    months = {month_of(time_ms) for time_ms in times_ms}
    newest = max(months, default=None)
    for _ in range(AHEAD if newest else 0):
        assert newest is not None
        newest = _following(newest)
        months.add(newest)
    return months


class Parts:
    """Which months have a part, as far as this process knows, and making those that are missing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._made: set[Month] = set()
        self._lock = threading.Lock()
        self._not_before = 0.0

    def prepare(self, times_ms: Iterable[int]) -> None:
        """See to it that arrivals of these times have their parts. Never raises.

        Where a part is missing, facts go to `facts_rest`, and into the part when it is made.
        """
        missing = wanted(times_ms) - self._made
        if not missing:
            return
        with self._lock:
            if time.monotonic() < self._not_before:
                return
            try:
                with self._engine.begin() as connection:
                    make(connection, missing)
            except (sa.exc.SQLAlchemyError, psycopg.Error) as error:
                self._not_before = time.monotonic() + PAUSE_S
                reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
                log.warning("months have no part of their own yet (nothing is lost): %s", reason)
                return
            self._made |= missing


def make(connection: sa.Connection, months: Iterable[Month]) -> None:
    """Make the parts that are missing, and move there what `facts_rest` has of them."""
    # Whoever wants to read or write behind us waits as long as we do: not for long.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MONTHS}, 0)")
    for month in sorted(months):
        if connection.scalar(sa.select(sa.func.to_regclass(_name(month)))) is None:
            _make(connection, month)


def _make(connection: sa.Connection, month: Month) -> None:
    name, first, end = _name(month), _begin_ms(month), _begin_ms(_following(month))
    columns = ", ".join(column.name for column in facts.columns)
    within = f"received_ms >= {first} AND received_ms < {end}"
    moved = f"WITH moved AS (DELETE FROM facts_rest WHERE {within} RETURNING {columns})"  # noqa: S608 (our own names, numbers)
    for command in (
        # First of all, because nobody who has this lock waits for the others that follow.
        "LOCK TABLE facts_rest IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE facts)",
        f"{moved} INSERT INTO {name} ({columns}) SELECT {columns} FROM moved",  # noqa: S608
        f"ALTER TABLE facts ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})",
        f"CREATE UNIQUE INDEX uq_{name} ON {name} (site, unit, boot, lane, seq)",
    ):
        connection.exec_driver_sql(command)


def _name(month: Month) -> str:
    return f"facts_{month[0]:04}_{month[1]:02}"


def _begin_ms(month: Month) -> int:
    return int(datetime(*month, 1, tzinfo=UTC).timestamp()) * 1000


def _following(month: Month) -> Month:
    year, number = month
    return (year + 1, 1) if number == 12 else (year, number + 1)
