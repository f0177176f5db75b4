"""What the facts say is so now, read from their beginning, and where the tables say otherwise.

For facts that were deleted speaks what is left of them (`forgotten`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import Boot, Seat
from host_bridge.domain.sessions import Session, to_the_minute
from host_bridge.store import sessions
from host_bridge.store.current_tables import signed_in, unit_states
from host_bridge.store.desk_events import FACTS_AT
from host_bridge.store.given_rows import GivenRows
from host_bridge.store.retention_tables import forgotten
from host_bridge.store.tables import facts
from host_bridge.store.unit_state import Desk, storable

PORTION = 50_000
"""Ids of facts that are read at a time."""

Row = dict[str, Any]

_Sat = tuple[bool | None, int | None]

_decode = msgspec.json.Decoder(Boot | Seat).decode
_SUM = (
    sa.select(
        facts.c.site,
        facts.c.unit,
        facts.c.boot,
        sa.func.max(facts.c.received_ms).label("heard_ms"),
        sa.func.max(sa.case((facts.c.type == "seat", facts.c.seq))).label("seat_seq"),
    )
    .where(facts.c.lane == "ordinary")
    .group_by(facts.c.site, facts.c.unit, facts.c.boot)
)
_SUMS = _SUM.where(facts.c.id > sa.bindparam("after"), facts.c.id <= sa.bindparam("upto"))
_SUMS_OF = _SUM.where(facts.c.site == sa.bindparam("site"), facts.c.unit == sa.bindparam("unit"))
_BOOTS = GivenRows(
    """
    SELECT f.site, f.unit, f.body FROM ({rows}) AS w
    JOIN facts AS f ON f.site = w.site AND f.unit = w.unit AND f.boot = w.boot
        AND f.lane = 'ordinary' AND f.seq = 1 AND f.type = 'boot'
    """,
    site="text",
    unit="text",
    boot="bigint",
)


class Difference(NamedTuple):
    """A row that is not what the facts say: of which table and unit, and what of it.

    `there` and `told` have the columns that differ, None where there is no row at all.
    """

    table: str
    site: str
    unit: str
    there: Row | None
    told: Row | None

    def __str__(self) -> str:
        """As a sentence."""
        where = f"{self.table}, {self.site}/{self.unit}"
        if self.there is None:
            return f"{where}: there is no row, and the facts say {self.told}"
        if self.told is None:
            return f"{where}: there is a row, and no fact says so"
        return f"{where}: it says {self.there}, and the facts say {self.told}"


@dataclass(slots=True)
class _Total:
    """What all facts of a unit say together; `seat` is the last seat change's (boot, seq)."""

    boot: int = 0
    heard_ms: int = 0
    seat: tuple[int, int] = (0, 0)

    def add(self, row: Any) -> None:
        """Take in what facts of one boot say, or what is left of them."""
        self.boot = max(self.boot, row.boot)
        self.heard_ms = max(self.heard_ms, row.heard_ms)
        self.seat = max(self.seat, (row.boot, row.seat_seq) if row.seat_seq else (0, 0))


class Reading:
    """Reads facts by their ids, from where it was to the newest. `upto`: the last one read."""

    def __init__(self) -> None:
        self.upto = 0
        self._totals: dict[Desk, _Total] = {}
        self._only: list[Desk] | None = None

    def read(self, connection: sa.Connection) -> Iterator[int]:
        """Read what there is now; yields the newest id after each portion."""
        last = connection.execute(sa.select(sa.func.max(facts.c.id))).scalar() or 0
        while self.upto < last:
            end = min(self.upto + PORTION, last)
            self._add(connection.execute(_SUMS, {"after": self.upto, "upto": end}))
            self.upto = end
            yield last

    def _add(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self._totals.setdefault((row.site, row.unit), _Total()).add(row)

    def read_some(self, connection: sa.Connection, desks: Iterable[Desk]) -> None:
        """Read all there is of some units only."""
        self._only = list(desks)
        for site, unit in self._only:
            self._add(connection.execute(_SUMS_OF, {"site": site, "unit": unit}))

    def _add_forgotten(self, connection: sa.Connection) -> "dict[Desk, _Sat]":
        """Add what is left of deleted facts; last, because some may be deleted while we read.

        Returns:
            The last seat change of those units of which it was deleted.
        """
        query = sa.select(forgotten).where(forgotten.c.lane == "ordinary")
        if self._only is not None:
            query = query.where(sa.tuple_(forgotten.c.site, forgotten.c.unit).in_(self._only))
        sat: dict[Desk, tuple[tuple[int, int], bool, int]] = {}
        for row in connection.execute(query):
            desk = row.site, row.unit
            self._totals.setdefault(desk, _Total()).add(row)
            if row.seat_seq:
                change = (row.boot, row.seat_seq), row.occupied, row.since_ms
                sat[desk] = max(sat.get(desk, change), change)
        return {
            desk: (occupied, since_ms)
            for desk, (change, occupied, since_ms) in sat.items()
            if change == self._totals[desk].seat
        }

    def told(self, connection: sa.Connection) -> tuple[dict[Desk, Row], dict[Desk, Session]]:
        """The rows of `unit_states` and the sessions, as the facts have them."""
        sat = self._add_forgotten(connection)
        totals = self._totals
        boots = _BOOTS.run(connection, [(*desk, each.boot) for desk, each in totals.items()])
        firmware = {(site, unit): _decode(body).firmware for site, unit, body in boots}
        seats = FACTS_AT.run(connection, [(*desk, *each.seat) for desk, each in totals.items()])
        for row in seats:
            since_ms = to_the_minute(min(row.time_ms, row.received_ms))
            sat[row.site, row.unit] = _decode(row.body).occupied, since_ms
        states: dict[Desk, Row] = {}
        for desk, each in totals.items():
            last = sat.get(desk, (None, None))
            states[desk] = {
                "boot": each.boot,
                "firmware": storable(firmware[desk]) if desk in firmware else None,
                "heard_ms": to_the_minute(each.heard_ms),
                "seat_boot": each.seat[0],
                "seat_seq": each.seat[1],
                "occupied": last[0],
                "since_ms": last[1],
            }
        found = sessions.refold(connection, {desk: each.boot for desk, each in totals.items()})
        return states, {desk: session for desk, session in found.items() if session is not None}


def put_right(connection: sa.Connection, reading: Reading) -> list[Difference]:
    """Make the tables say what was read; what differed."""
    states, signed = reading.told(connection)
    found = differences(connection, states, signed)
    wrong = {(each.site, each.unit) for each in found if each.table == unit_states.name}
    for site, unit in sorted(wrong):
        here = sa.and_(unit_states.c.site == site, unit_states.c.unit == unit)
        connection.execute(sa.delete(unit_states).where(here))
    rows = [{"site": d[0], "unit": d[1], **states[d]} for d in sorted(wrong) if d in states]
    if rows:
        connection.execute(sa.insert(unit_states), rows)
    before = sessions.stored(connection)
    sessions.write(connection, before, {d: signed.get(d) for d in {*before, *signed}})
    return found


def differences(
    connection: sa.Connection,
    states: Mapping[Desk, Row],
    signed: Mapping[Desk, Session],
    only: Collection[Desk] | None = None,
) -> list[Difference]:
    """Where the tables say something else, perhaps of some units only."""
    there = {
        (row["site"], row["unit"]): {n: row[n] for n in row if n not in {"site", "unit"}}
        for row in connection.execute(sa.select(unit_states)).mappings()
    }
    begun = {desk: _row(session) for desk, session in sessions.stored(connection).items()}
    told = {desk: _row(session) for desk, session in signed.items()}
    found = [
        *_between(unit_states.name, there, states),
        *_between(signed_in.name, begun, told),
    ]
    return [each for each in found if only is None or (each.site, each.unit) in only]


def _row(session: Session) -> Row:
    names = ("boot", "seq", "since_ms", "idle_ms")
    return {name: getattr(session, name) for name in names}


def _between(
    table: str, there: Mapping[Desk, Row], told: Mapping[Desk, Row]
) -> Iterator[Difference]:
    for desk in sorted({*there, *told}):
        one, other = there.get(desk), told.get(desk)
        if one is None or other is None:
            yield Difference(table, *desk, one, other)
        elif names := [name for name in other if one[name] != other[name]]:
            yield Difference(table, *desk, {n: one[n] for n in names}, {n: other[n] for n in names})


def fill(connection: sa.Connection) -> list[Difference]:
    """Make the tables within a transaction; returns what differed."""
    reading = Reading()
    for _ in reading.read(connection):
        pass
    return put_right(connection, reading)
