"""The table `signed_in`: which desks somebody is signed in at, by the rules of `domain.sessions`.

Nearly every batch finds its units' rows with one question and has nothing to write. Where facts
came late, the desk is looked at afresh: first its last few facts, because a night without
anybody lies within them, then more, then the whole of their block.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from host_bridge.contract.facts import Tag
from host_bridge.domain.headsets import IN_CIRCULATION
from host_bridge.domain.sessions import (
    BLOCK,
    Event,
    Rules,
    Session,
    block,
    decisive,
    fold,
    has_ended,
    to_the_minute,
)
from host_bridge.store.current_tables import AWAY_MS, GRACE_MS, signed_in
from host_bridge.store.desk_events import FACTS_AT, decode_event, events_of, last_of, since
from host_bridge.store.given_rows import GivenRows
from host_bridge.store.records import TagRecord
from host_bridge.store.unit_state import Desk, UnitState

PORTIONS = (40, 1_024)
"""Facts of a desk that are read at first, and then; a night without anybody lies within them."""


class _Found(NamedTuple):
    """What is known of a unit: its boot, its last seat change, its session, its away limit."""

    boot: int
    seat: Event | None
    session: Session | None
    limit_ms: int


_FIND = GivenRows(
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
_PUT = GivenRows(
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
_END = GivenRows("DELETE FROM signed_in WHERE (site, unit) IN ({rows})", site="text", unit="text")
_TAGS = GivenRows(
    """
    SELECT t.site, t.tag, t.kind, t.person, t.status FROM ({rows}) AS w
    JOIN tags AS t ON t.site = w.site AND t.tag = w.tag
    """,
    site="text",
    tag="text",
)
_BEFORE = GivenRows(
    """
    SELECT w.site, w.unit, s.signed_boot, s.signed_seq, f.seat_seq, f.occupied, f.since_ms
    FROM ({rows}) AS w
    LEFT JOIN settled AS s ON s.site = w.site AND s.unit = w.unit
    LEFT JOIN forgotten AS f ON f.site = w.site AND f.unit = w.unit AND f.boot = w.boot
        AND f.lane = 'ordinary' AND f.seat_seq > 0
    """,
    site="text",
    unit="text",
    boot="bigint",
)


def keep(connection: sa.Connection, states: Mapping[Desk, UnitState], late: set[Desk]) -> None:
    """Bring the desks' rows up to date with facts that are about to be written.

    Args:
        connection: within the commit's transaction.
        states: what the facts say, by unit.
        late: those units of which facts with higher numbers had come before.
    """
    asked = [(*desk, int(state.tapped or desk in late)) for desk, state in states.items()]
    found = _find(connection, asked)
    current = {
        desk: _Fold(desk, boot, None, None, events_of(states[desk].news), there.limit_ms)
        for desk, there in found.items()
        if (boot := states[desk].stream.boot) >= there.boot
    }
    again = _afresh(connection, [each for desk, each in current.items() if desk in late])
    folds = [
        *again,
        *(_onwards(each, found[desk]) for desk, each in current.items() if desk not in late),
    ]
    after = _folded(connection, folds)
    write(connection, {desk: found[desk].session for desk in after}, after)


def refold(connection: sa.Connection, boots: Mapping[Desk, int]) -> dict[Desk, Session | None]:
    """The sessions of units, given their highest boots, out of the stored facts alone."""
    found = _find(connection, [(*desk, 1) for desk in boots])
    folds = [
        _Fold(desk, boot, None, None, [], found[desk].limit_ms) for desk, boot in boots.items()
    ]
    return _folded(connection, _afresh(connection, folds))


def stored(connection: sa.Connection, desk: Desk | None = None) -> dict[Desk, Session]:
    """The rows as they are, perhaps of one desk only."""
    query = sa.select(signed_in)
    if desk is not None:
        query = query.where(signed_in.c.site == desk[0], signed_in.c.unit == desk[1])
    rows = connection.execute(query).all()
    return {
        (row.site, row.unit): Session(row.boot, row.seq, row.since_ms, row.idle_ms) for row in rows
    }


def nobody_after(
    connection: sa.Connection, desk: Desk, boot: int, *, due: int, bound_ms: int
) -> int:
    """A number of a boot after which nobody was signed in: the latest one up to some time.

    Args:
        connection: to the database.
        desk: site and unit.
        boot: the unit's highest.
        due: facts up to this number are deleted, so it is better not before that, if need be
            later than `bound_ms`; else `due` itself, though somebody was signed in then.
        bound_ms: up to when.
    """
    limit_ms = _find(connection, [(*desk, 1)])[desk].limit_ms
    (each,) = _with_before(connection, [_Fold(desk, boot, None, None, [], limit_ms)])
    events = since(connection, desk, boot, each.after)
    tags = {(desk[0], event.tag) for event in events if event.tag is not None}
    rules = Rules(boot, limit_ms, _registers(connection, tags)[desk[0]])
    session: Session | None = None
    seat, after, last = each.seat, each.after, each.after
    for event in events:
        if event.seq <= each.after:
            seat = event
            continue
        if session is None or has_ended(session, event, rules):
            session, after = None, last
        if event.time_ms > bound_ms and after >= due:
            return int(after)
        session = fold(session, [event], rules, seat=seat)
        seat = event if event.occupied is not None else seat
        last = event.seq
    over = Event(last + 1, to_the_minute(bound_ms), None, None)
    is_over = session is None or has_ended(session, over, rules)
    return int(max(last if is_over else after, due))


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
    """A session to be folded: from which one, over which events.

    `after`: nobody was signed in after that number, and some facts up to it are deleted.
    """

    desk: Desk
    boot: int
    session: Session | None
    seat: Event | None
    events: Sequence[Event]
    limit_ms: int
    after: int = 0

    @property
    def tags(self) -> set[str]:
        """Those that were presented."""
        return {event.tag for event in self.events if event.tag is not None}


def _onwards(each: _Fold, found: _Found) -> _Fold:
    """From the row, over what is new."""
    session = found.session
    return each._replace(
        session=session if session and session.boot == each.boot else None,
        seat=found.seat if found.boot == each.boot else None,
    )


def _afresh(connection: sa.Connection, folds: Sequence[_Fold]) -> list[_Fold]:
    """From nothing, over as much as there must be to know whether somebody is signed in."""
    ready: list[_Fold] = []
    folds = _with_before(connection, folds)
    for limit in (*PORTIONS, BLOCK):
        there = last_of(connection, [(*each.desk, each.boot) for each in folds], limit)
        waiting = []
        for each in folds:
            found = _window(each, there[each.desk], limit)
            if found is None:
                waiting.append(each)
            else:
                ready.append(found)
        folds = waiting
    return ready


def _with_before(connection: sa.Connection, folds: Sequence[_Fold]) -> Sequence[_Fold]:
    """With what is left of deleted facts: up to where nobody was signed in, who sat there."""
    before: dict[Desk, tuple[int, Event | None]] = {}
    asked = [(*each.desk, each.boot) for each in folds]
    boots = {each.desk: each.boot for each in folds}
    for site, unit, boot, seq, seat_seq, occupied, since_ms in _BEFORE.run(connection, asked):
        after = seq if boot == boots[site, unit] else 0
        seat = Event(seat_seq, since_ms, bool(occupied), None) if seat_seq else None
        before[site, unit] = after, seat
    return [each._replace(after=before[each.desk][0], seat=before[each.desk][1]) for each in folds]


def _window(each: _Fold, there: dict[int, Event | None], limit: int) -> _Fold | None:
    """With the events that decide, of those that are there and that came; None: not yet.

    Args:
        each: with what came.
        there: by number; None for a tap that was no badge-in.
        limit: how many were asked for.
    """
    oldest = min(there, default=0) if len(there) == limit else 0
    events = sorted([*filter(None, there.values()), *each.events])
    place = block(events[-1].seq) if events else block(oldest)
    events = [event for event in events if event.seq >= oldest and block(event.seq) == place]
    begin = decisive(events, each.limit_ms)
    whole = oldest == 0 or block(oldest) < place
    sat = any(event.seq <= each.after and event.occupied is not None for event in events)
    if not (begin or whole or sat or limit >= BLOCK):
        return None
    # What was settled before some of it was deleted is only to say whether somebody sat there.
    kept = [e for e in events[begin:] if e.seq > each.after or e.occupied is not None]
    return each._replace(events=kept, seat=each.seat if whole and not begin else None)


def _find(connection: sa.Connection, asked: Sequence[tuple[Any, ...]]) -> dict[Desk, _Found]:
    found = {}
    for row in _FIND.run(connection, asked):
        site, unit, boot, seat_boot, seat_seq, occupied, *session, limit_ms = tuple(row)
        sat = Event(seat_seq, 0, bool(occupied), None) if seat_boot and seat_boot == boot else None
        signed = Session(*session) if session[0] is not None else None
        found[site, unit] = _Found(boot or 0, sat, signed, limit_ms)
    return found


def _folded(connection: sa.Connection, folds: Sequence[_Fold]) -> dict[Desk, Session | None]:
    judged = [each for each in folds if each.tags]
    tags = _tags_of_sessions(connection, judged)
    asked = {(desk[0], tag) for desk, tag in tags.items()}
    registers = _registers(connection, asked | {(f.desk[0], tag) for f in judged for tag in f.tags})
    after: dict[Desk, Session | None] = {}
    for each in folds:
        session, register = each.session, registers[each.desk[0]]
        if session is not None and each.tags:
            session = _with_person(session, register.get(tags.get(each.desk, "")))
        rules = Rules(each.boot, each.limit_ms, register)
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
    for row in FACTS_AT.run(connection, keys):
        fact = decode_event(row.body)
        if isinstance(fact, Tag):
            found[row.site, row.unit] = fact.tag
    return found


def _registers(
    connection: sa.Connection, asked: set[tuple[str, str]]
) -> dict[str, dict[str, TagRecord]]:
    """The register's entries of tags, by site."""
    found: dict[str, dict[str, TagRecord]] = defaultdict(dict)
    for site, tag, kind, person, status in _TAGS.run(connection, list(asked)):
        found[site][tag] = TagRecord(tag=tag, kind=kind, person=person, status=status)
    return found
