"""The table `signed_in`: which desks somebody is signed in at, by the rules of `domain.sessions`.

Nearly every batch finds its units' rows with one question and has nothing to write. Where facts
came late, the desk is looked at afresh: first its last `PORTION` facts, because a night without
anybody lies within them, and the whole of their block if not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import Seat, Tag
from host_bridge.domain.headsets import IN_CIRCULATION
from host_bridge.domain.sessions import (
    BLOCK,
    Event,
    Rules,
    Session,
    block,
    decisive,
    fold,
    to_the_minute,
)
from host_bridge.store.current_tables import AWAY_MS, GRACE_MS
from host_bridge.store.json_rows import JsonRows
from host_bridge.store.records import TagRecord
from host_bridge.store.tables import facts

PORTION = 40
"""Facts of a desk that are read at first."""

Desk = tuple[str, str]
"""Site and unit."""


class Touched(NamedTuple):
    """What came of a unit: its events in order, all of one boot.

    `late`: facts with higher numbers had come before. `tapped`: there is a tap among them.
    """

    desk: Desk
    boot: int
    events: list[Event]
    late: bool
    tapped: bool


class _Found(NamedTuple):
    """What is known of a unit: its boot, its last seat change, its session, its away limit."""

    boot: int
    seat: Event | None
    session: Session | None
    limit_ms: int


_FIND = JsonRows(
    f"""
    SELECT w.site, w.unit, u.boot, u.seat_boot, u.seat_seq, u.occupied,
        s.boot, s.seq, s.since_ms, s.idle_ms, coalesce(d.away_ms, {AWAY_MS}) + {GRACE_MS}
    FROM ({{rows}}) AS w
    LEFT JOIN signed_in AS s ON s.site = w.site AND s.unit = w.unit
    LEFT JOIN unit_states AS u ON u.site = w.site AND u.unit = w.unit
    LEFT JOIN desks AS d ON d.site = w.site AND d.unit = w.unit
    WHERE w.wanted = 1 OR s.boot IS NOT NULL
    """,  # noqa: S608 (our own numbers)
    site="text",
    unit="text",
    wanted="integer",
)
_PUT = JsonRows(
    """
    INSERT INTO signed_in (site, unit, boot, seq, since_ms, idle_ms)
    SELECT * FROM ({rows}) AS news WHERE true
    ON CONFLICT (site, unit) DO UPDATE SET boot = excluded.boot, seq = excluded.seq,
        since_ms = excluded.since_ms, idle_ms = excluded.idle_ms
    """,
    site="text",
    unit="text",
    boot="bigint",
    seq="bigint",
    since_ms="bigint",
    idle_ms="bigint",
)
_END = JsonRows("DELETE FROM signed_in WHERE (site, unit) IN ({rows})", site="text", unit="text")
_TAGS = JsonRows(
    """
    SELECT t.site, t.tag, t.kind, t.person, t.status FROM ({rows}) AS w
    JOIN tags AS t ON t.site = w.site AND t.tag = w.tag
    """,
    site="text",
    tag="text",
)
_BEGAN = JsonRows(
    """
    SELECT f.site, f.unit, f.body FROM ({rows}) AS w
    JOIN facts AS f ON f.site = w.site AND f.unit = w.unit AND f.boot = w.boot
        AND f.lane = 'ordinary' AND f.seq = w.seq
    """,
    site="text",
    unit="text",
    boot="bigint",
    seq="bigint",
)
_LAST = (
    sa.select(facts.c.seq, facts.c.time_ms, facts.c.received_ms, facts.c.body)
    .where(
        facts.c.site == sa.bindparam("site"),
        facts.c.unit == sa.bindparam("unit"),
        facts.c.boot == sa.bindparam("boot"),
        facts.c.lane == "ordinary",
        facts.c.type.in_(("seat", "tag")),
    )
    .order_by(facts.c.seq.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
_decode = msgspec.json.Decoder(Seat | Tag).decode


def keep(connection: sa.Connection, touched: Sequence[Touched]) -> None:
    """Bring the desks' rows up to date with facts that are about to be written."""
    found = _find(connection, [(*each.desk, int(each.late or each.tapped)) for each in touched])
    folds = [
        _fold_of(connection, each, found[each.desk])
        for each in touched
        if each.desk in found and each.boot >= found[each.desk].boot
    ]
    after = _folded(connection, folds)
    write(connection, {desk: found[desk].session for desk in after}, after)


def refold(connection: sa.Connection, boots: dict[Desk, int]) -> dict[Desk, Session | None]:
    """The sessions of units, given their highest boots, out of the stored facts alone."""
    found = _find(connection, [(*desk, 1) for desk in boots])
    folds = [
        _fold_of(connection, Touched(desk, boot, [], late=True, tapped=True), found[desk])
        for desk, boot in boots.items()
    ]
    return _folded(connection, folds)


def write(
    connection: sa.Connection,
    before: Mapping[Desk, Session | None],
    after: Mapping[Desk, Session | None],
) -> None:
    """Write the rows that differ, and remove those of sessions that are over."""
    changed = {desk: session for desk, session in after.items() if session != before.get(desk)}
    put = [
        (*desk, session.boot, session.seq, session.since_ms, session.idle_ms)
        for desk, session in changed.items()
        if session is not None
    ]
    ended = [desk for desk, session in changed.items() if session is None]
    if put:
        _PUT.run(connection, put)
    if ended:
        _END.run(connection, ended)


class _Fold(NamedTuple):
    """A session to be folded: from which one, over which events."""

    desk: Desk
    boot: int
    session: Session | None
    seat: Event | None
    events: Sequence[Event]
    limit_ms: int

    @property
    def tags(self) -> set[str]:
        """Those that were presented."""
        return {event.tag for event in self.events if event.tag is not None}


def _fold_of(connection: sa.Connection, each: Touched, found: _Found) -> _Fold:
    if each.late:
        events = _window(connection, each, found.limit_ms)
        return _Fold(each.desk, each.boot, None, None, events, found.limit_ms)
    seat = found.seat if found.boot == each.boot else None
    session = found.session
    if session is not None and session.boot != each.boot:
        session = None
    return _Fold(each.desk, each.boot, session, seat, each.events, found.limit_ms)


def _window(connection: sa.Connection, each: Touched, limit_ms: int) -> list[Event]:
    """As much of what happened as there must be to know whether somebody is signed in."""
    events: list[Event] = []
    for limit in (PORTION, BLOCK):
        stored = _last(connection, each, limit)
        oldest = min(stored, default=0) if len(stored) == limit else 0
        events = sorted({*filter(None, stored.values()), *each.events})
        events = [event for event in events if event.seq >= oldest]
        place = block(events[-1].seq) if events else block(oldest)
        events = [event for event in events if block(event.seq) == place]
        begin = decisive(events, limit_ms)
        if begin or oldest == 0 or block(oldest) < place:
            return events[begin:]
    return events


def _last(connection: sa.Connection, each: Touched, limit: int) -> dict[int, Event | None]:
    """The last seat changes and taps by number; None for a tap that was no badge-in."""
    site, unit = each.desk
    asked = {"site": site, "unit": unit, "boot": each.boot, "limit": limit}
    rows = connection.execute(_LAST, asked).all()
    return {seq: _event(seq, min(at_ms, came_ms), body) for seq, at_ms, came_ms, body in rows}


def _event(seq: int, time_ms: int, body: str) -> Event | None:
    fact = _decode(body)
    if isinstance(fact, Seat):
        return Event(seq, to_the_minute(time_ms), fact.occupied, None)
    return None if fact.enrol else Event(seq, to_the_minute(time_ms), None, fact.tag)


def _find(connection: sa.Connection, asked: Sequence[tuple[Any, ...]]) -> dict[Desk, _Found]:
    found = {}
    for row in _FIND.run(connection, asked).all():
        site, unit, boot, seat_boot, seat_seq, occupied, *session, limit_ms = tuple(row)
        sat = Event(seat_seq, 0, bool(occupied), None) if seat_boot and seat_boot == boot else None
        signed = Session(*session) if session[0] is not None else None
        found[site, unit] = _Found(boot or 0, sat, signed, limit_ms)
    return found


def _folded(connection: sa.Connection, folds: Sequence[_Fold]) -> dict[Desk, Session | None]:
    judged = [each for each in folds if each.tags]
    tags = _tags_of_sessions(connection, judged)
    asked = {(desk[0], tag) for desk, tag in tags.items()}
    register = _register(connection, asked | {(f.desk[0], tag) for f in judged for tag in f.tags})
    after: dict[Desk, Session | None] = {}
    for each in folds:
        session = each.session
        known = {tag: record for (site, tag), record in register.items() if site == each.desk[0]}
        if session is not None and each.tags:
            session = _with_person(session, known.get(tags.get(each.desk, "")))
        rules = Rules(each.boot, each.limit_ms, known)
        after[each.desk] = fold(session, each.events, rules, seat=each.seat)
    return after


def _with_person(session: Session, record: TagRecord | None) -> Session | None:
    """The session with whose it is; None if that can't be known any more."""
    if record is None or record.status != IN_CIRCULATION or record.person is None:
        return None
    return replace(session, person=record.person)


def _tags_of_sessions(connection: sa.Connection, folds: Sequence[_Fold]) -> dict[Desk, str]:
    """With which tags those began that go on."""
    keys = [
        (*each.desk, each.session.boot, each.session.seq)
        for each in folds
        if each.session is not None
    ]
    found = {}
    for row in _BEGAN.run(connection, keys).all() if keys else ():
        fact = _decode(row.body)
        if isinstance(fact, Tag):
            found[row.site, row.unit] = fact.tag
    return found


def _register(
    connection: sa.Connection, asked: set[tuple[str, str]]
) -> dict[tuple[str, str], TagRecord]:
    """The register's entries of tags."""
    if not asked:
        return {}
    rows = _TAGS.run(connection, list(asked)).mappings()
    return {
        (row["site"], row["tag"]): TagRecord(
            tag=row["tag"], kind=row["kind"], person=row["person"], status=row["status"]
        )
        for row in rows
    }
