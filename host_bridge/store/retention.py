"""Deleting what is over its time, in small portions; and the proof that it was done."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import Seat
from host_bridge.domain.room_hours import HOUR_MS, hour_of
from host_bridge.retention import classes
from host_bridge.store import forgotten as left
from host_bridge.store import postgres, settling, sqlite
from host_bridge.store.engine import translated
from host_bridge.store.forgotten import PORTION
from host_bridge.store.incidents import stored_fact
from host_bridge.store.records import StoredFact, Stream
from host_bridge.store.retention_tables import group_days, retention_runs, room_hours
from host_bridge.store.room_hours import Room, keep
from host_bridge.store.settling import Settled
from host_bridge.store.tables import dead_letters, facts, incident_records

EVENTS = ("tag", "seat", "press", "urgent")
"""Types of facts that say how desks are."""

READ = 2_000
"""Facts that are read at a time."""

COUNTED = 1_000_000
"""A first run may find more; counting them would take longer than a server is waited for."""

_decode = msgspec.json.Decoder(Seat).decode


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """Of a class of data: how many are over their time, and from when the oldest is that is there.

    `oldest_ms`: Unix milliseconds, None when nothing is there.
    """

    data: str
    over: int
    oldest_ms: int | None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion did to one class of data; times in Unix milliseconds."""

    at_ms: int
    data: str
    limit_ms: int
    deleted: int
    oldest_ms: int | None


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may delete: of a site, by class what is not younger than this, up to a fact.

    `before_ms` by class of data, Unix milliseconds; what is exactly of that time goes too.
    `upto`: the id of the newest fact when the run began; later ones are for the next run.
    """

    site: str
    before_ms: Mapping[str, int]
    upto: int


class Retention:
    """Get it from `Store.retention`.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # "facts": like a commit, it locks the units that it has to do with, and nobody else.
        self._writer = engine.execution_options(writes="facts")

    def settled(self, site: str) -> dict[str, Settled]:
        """How desks were after facts that need no reading any more, by unit."""
        with translated(self._engine), self._engine.connect() as connection:
            return settling.read(connection, site)

    def events(self, site: str, upto: int) -> Iterator[list[StoredFact]]:
        """All facts that say how a site's desks are, in portions, in the order of the commits."""
        # Joined with nothing: else the database would walk by type and sort by id.
        mine = sa.and_(facts.c.site.concat("") == site, facts.c.type.concat("").in_(EVENTS))
        after = 0
        while True:
            next_ = sa.select(facts.c.id).where(facts.c.id > after, facts.c.id <= upto)
            some = next_.order_by(facts.c.id).limit(READ).subquery()
            with translated(self._engine), self._engine.connect() as connection:
                last = connection.scalar(sa.select(sa.func.max(some.c.id)))
                if last is None:
                    return
                portion = sa.select(facts).where(mine, facts.c.id > after, facts.c.id <= last)
                rows = connection.execute(portion.order_by(facts.c.id)).mappings().all()
            yield [stored_fact(row) for row in rows]
            after = last

    def units_due(self, cut: Cut) -> list[str]:
        """The units that have facts to be deleted, seat changes included."""
        found: set[str] = set()
        for data in ("taps", "seats", "faults"):
            for kind in classes()[data].facts:
                found.update(*self._units_of(cut, kind, cut.before_ms[data]))
        return sorted(found)

    def _units_of(self, cut: Cut, kind: str, before_ms: int) -> Iterator[set[str]]:
        """Portion for portion, for a first run finds millions and a server has no patience."""
        at = (-1, 0)
        columns = (facts.c.time_ms, facts.c.id, facts.c.unit)
        query = sa.select(*columns).where(
            facts.c.site == cut.site, facts.c.type == kind, facts.c.id <= cut.upto,
            facts.c.time_ms <= before_ms,
        ).order_by(facts.c.time_ms, facts.c.id).limit(10 * READ)  # fmt: skip
        while True:
            on = sa.and_(
                facts.c.time_ms >= at[0], sa.or_(facts.c.time_ms > at[0], facts.c.id > at[1])
            )
            with translated(self._engine), self._engine.connect() as connection:
                rows = connection.execute(query.where(on)).all()
            if not rows:
                return
            at = rows[-1].time_ms, rows[-1].id
            yield {row.unit for row in rows}

    def forget_unit(
        self, cut: Cut, unit: str, found: Settled | None, bound_ms: int
    ) -> Iterator[Counter[str]]:
        """Settle how a desk is, then delete its taps and faults; how many of each type.

        Args:
            cut: what to delete.
            unit: whose.
            found: how the desk was after its facts up to some time; None: nothing new.
            bound_ms: until when the simpler rules may settle something.
        """
        here = _due_of(cut, unit, ("taps", "faults"))
        rows: Sequence[Any] = [None] * PORTION
        first = True
        while len(rows) == PORTION:
            with translated(self._engine), self._writer.begin() as connection:
                _lock(connection, cut.site, [unit])
                if first:
                    everything = _due_of(cut, unit, ("taps", "seats"))
                    settling.settle(connection, (cut.site, unit), found, everything, bound_ms)
                    first = False
                rows = connection.execute(sa.select(facts).where(here).limit(PORTION)).all()
                left.delete(connection, rows)
            yield Counter(row.type for row in rows)

    def forget_seats(self, cut: Cut, rooms: Sequence[Room], smallest: int) -> Iterator[int]:
        """Delete seat changes, hour by hour, and keep how full rooms were; how many of them.

        Args:
            cut: what to delete.
            rooms: the plan.
            smallest: of rooms with fewer desks nothing is kept, for it would tell of a person.
        """
        due = _due(cut, ("seats",))
        while True:
            with translated(self._engine), self._writer.begin() as connection:
                oldest = connection.scalar(sa.select(sa.func.min(facts.c.time_ms)).where(due))
                if oldest is None:
                    return
                hour = hour_of(oldest)
                end = facts.c.time_ms < hour + HOUR_MS
                known = sa.select(facts).where(
                    facts.c.site == cut.site, facts.c.type == "seat", facts.c.id <= cut.upto,
                    facts.c.time_ms >= hour, end,
                )  # fmt: skip
                units = connection.scalars(known.with_only_columns(facts.c.unit).distinct()).all()
                _lock(connection, cut.site, units)
                changes = connection.execute(known).all()
                wide = [room for room in rooms if len(room.units) >= smallest]
                keep(connection, cut.site, wide, hour, changes)
                rows = connection.execute(sa.select(facts).where(due, end).limit(PORTION)).all()
                left.delete(connection, rows)
            yield len(rows)

    def forget_letters(self, cut: Cut, longest_ms: int) -> Iterator[int]:
        """Delete dead letters: a site's own, and anybody's that are older still; how many.

        Args:
            cut: what to delete.
            longest_ms: letters of no site, or another's, go when they came before this.
        """
        here = _letters_due(cut, longest_ms)
        while True:
            some = sa.select(dead_letters.c.id).where(here).order_by(dead_letters.c.id)
            with translated(self._engine), self._writer.begin() as connection:
                ids = connection.scalars(some.limit(PORTION)).all()
                if not ids:
                    return
                connection.execute(sa.delete(dead_letters).where(dead_letters.c.id.in_(ids)))
            yield len(ids)

    def forget_reports(self, site: str, reports: Sequence[StoredFact]) -> None:
        """Delete an incident: its reports, and what was done about it."""
        units = {report.unit for report in reports}
        keys = [(each.unit, each.boot, each.seq) for each in reports]
        of_them = sa.tuple_(
            incident_records.c.unit, incident_records.c.boot, incident_records.c.seq
        ).in_(keys)
        here = facts.c.id.in_([report.id for report in reports])
        with translated(self._engine), self._writer.begin() as connection:
            _lock(connection, site, sorted(units))
            left.delete(connection, connection.execute(sa.select(facts).where(here)).all())
            connection.execute(
                sa.delete(incident_records).where(incident_records.c.site == site, of_them)
            )

    def forget_figures(self, cut: Cut) -> Counter[str]:
        """Delete figures of rooms and groups and proofs that are over their time; how many."""
        done: Counter[str] = Counter()
        with translated(self._engine), self._writer.begin() as connection:
            for data, (table, here) in _figures(cut).items():
                gone = connection.execute(sa.delete(table).where(table.c.site == cut.site, here))
                done[data] = gone.rowcount
        return done

    def amounts(self, cut: Cut, longest_ms: int) -> list[Amount]:
        """What is over its time, by class; without reports, which facts alone don't tell of.

        Facts of a class are counted up to `COUNTED`.
        """
        found = []
        with translated(self._engine), self._engine.connect() as connection:
            for data in ("taps", "seats", "faults"):
                some = sa.select(facts.c.id).where(_due(cut, (data,))).limit(COUNTED)
                over = sa.select(sa.func.count()).select_from(some.subquery())
                oldest = sa.select(sa.func.min(facts.c.time_ms)).where(
                    facts.c.site == cut.site, facts.c.type.in_(classes()[data].facts)
                )
                found.append((data, connection.scalar(over), connection.scalar(oldest)))
            count = sa.select(sa.func.count()).where(_letters_due(cut, longest_ms))
            oldest = sa.select(sa.func.min(dead_letters.c.received_ms))
            found.append(("dead-letters", connection.scalar(count), connection.scalar(oldest)))
            for data, (table, here) in _figures(cut).items():
                mine = table.c.site == cut.site
                over = sa.select(sa.func.count()).where(mine, here)
                oldest = sa.select(_time_of(table)).where(mine).order_by(_time_of(table)).limit(1)
                found.append((data, connection.scalar(over), _ms(connection.scalar(oldest))))
        return [Amount(data=d, over=int(n or 0), oldest_ms=oldest) for d, n, oldest in found]

    def write_runs(self, site: str, runs: Sequence[Run]) -> None:
        """Write what a deletion did."""
        rows = [{"site": site, **msgspec.structs.asdict(run)} for run in runs]
        with translated(self._engine), self._writer.begin() as connection:
            connection.execute(sa.insert(retention_runs), rows)

    def sweep(self) -> None:
        """Let no copy of what was deleted lie in SQLite's log; PostgreSQL vacuums by itself."""
        if self._engine.dialect.name != "sqlite":
            return
        with translated(self._engine), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            # Without waiting: it would keep writers out for as long as a backup reads. Beside a
            # reader it does what it can, and the next night the rest.
            driver.execute("PRAGMA busy_timeout = 0")
            try:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                driver.execute(f"PRAGMA busy_timeout = {sqlite.BUSY_TIMEOUT_MS}")

    def last_run(self, site: str) -> list[Run]:
        """What the last deletion did, by class; empty when there was none."""
        newest = sa.select(sa.func.max(retention_runs.c.at_ms)).where(retention_runs.c.site == site)
        query = sa.select(*(retention_runs.c[name] for name in Run.__struct_fields__)).where(
            retention_runs.c.site == site, retention_runs.c.at_ms == newest.scalar_subquery()
        )
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(retention_runs.c.id)).mappings().all()
        return list({row["data"]: Run(**row) for row in rows}.values())


def _due(cut: Cut, wanted: Sequence[str]) -> sa.ColumnElement[bool]:
    """Which facts are over their time."""
    ends = [
        sa.and_(facts.c.type == kind, facts.c.time_ms <= cut.before_ms[data])
        for data in wanted
        for kind in classes()[data].facts
    ]
    return sa.and_(facts.c.site == cut.site, facts.c.id <= cut.upto, sa.or_(*ends))


def _due_of(cut: Cut, unit: str, wanted: Sequence[str]) -> sa.ColumnElement[bool]:
    """Which facts of a unit are over their time; found by the unit, among any number of others."""
    ends = [
        # Joined with nothing: else the database might read those of all units by their time.
        sa.and_(facts.c.type.concat("") == kind, facts.c.time_ms <= cut.before_ms[data])
        for data in wanted
        for kind in classes()[data].facts
    ]
    here = sa.and_(facts.c.site == cut.site, facts.c.unit == unit, facts.c.id <= cut.upto)
    return sa.and_(here, sa.or_(*ends))


def _letters_due(cut: Cut, longest_ms: int) -> sa.ColumnElement[bool]:
    came = dead_letters.c.received_ms
    own = sa.or_(
        dead_letters.c.site == cut.site, dead_letters.c.topic.like(f"chequer/v1/{cut.site}/%")
    )
    return sa.or_(came <= longest_ms, sa.and_(own, came <= cut.before_ms["dead-letters"]))


def _figures(cut: Cut) -> dict[str, tuple[sa.Table, sa.ColumnElement[bool]]]:
    """By class: the table, and which of its rows are over their time."""
    ends = {data: cut.before_ms[data] for data in ("room-hours", "groups", "proofs")}
    day = sa.literal(_day(ends["groups"]))
    return {
        "room-hours": (room_hours, room_hours.c.hour_ms <= ends["room-hours"]),
        "groups": (group_days, group_days.c.day < day),
        "proofs": (retention_runs, retention_runs.c.at_ms <= ends["proofs"]),
    }


def _time_of(table: sa.Table) -> sa.Column[Any]:
    names = {"room_hours": "hour_ms", "group_days": "day", "retention_runs": "at_ms"}
    return table.c[names[table.name]]


def _lock(connection: sa.Connection, site: str, units: Sequence[str]) -> None:
    """Let no commit of these units be under way; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        postgres.lock_units(connection, [Stream(site, unit, 0, "ordinary") for unit in units])


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).date().isoformat()


def _ms(found: Any) -> int | None:
    """A time as the table has it: Unix milliseconds, or a day."""
    if isinstance(found, str):
        return int(datetime.fromisoformat(f"{found}T00:00:00+00:00").timestamp()) * 1000
    return None if found is None else int(found)
