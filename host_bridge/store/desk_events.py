"""Seat changes and taps of desks, as the facts have them: what sessions are folded from."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import AnyFact, Seat, Tag
from host_bridge.domain.sessions import BLOCK, Event, to_the_minute
from host_bridge.store.given_rows import GivenRows
from host_bridge.store.records import Incoming
from host_bridge.store.tables import facts
from host_bridge.store.unit_state import Desk

FACTS_AT = GivenRows(
    """
    SELECT f.site, f.unit, f.time_ms, f.received_ms, f.body FROM ({rows}) AS w
    JOIN facts AS f ON f.site = w.site AND f.unit = w.unit AND f.boot = w.boot
        AND f.lane = 'ordinary' AND f.seq = w.seq
    """,
    site="text",
    unit="text",
    boot="bigint",
    seq="bigint",
)
"""Ordinary facts by their keys."""

_SINCE = (
    sa.select(facts.c.seq, facts.c.time_ms, facts.c.received_ms, facts.c.body)
    .where(
        facts.c.site == sa.bindparam("site"),
        facts.c.unit == sa.bindparam("unit"),
        facts.c.boot == sa.bindparam("boot"),
        facts.c.lane == "ordinary",
        sa.or_(
            facts.c.type == "seat",
            sa.and_(facts.c.type == "tag", facts.c.seq > sa.bindparam("after")),
        ),
    )
    .order_by(facts.c.seq)
    .limit(BLOCK)
)
decode_event = msgspec.json.Decoder(Seat | Tag).decode
"""A seat change or a tap from its JSON."""
_unpack = msgspec.json.Decoder(list[tuple[int, int, int, str]]).decode


@lru_cache(maxsize=8)
def _last(limit: int) -> GivenRows:
    """The last seat changes and taps of units' boots, of each at most so many."""
    return GivenRows(
        f"""
        SELECT w.site, w.unit, (
            SELECT {{packed}} FROM (
                SELECT f.seq, f.time_ms, f.received_ms, f.body FROM facts AS f
                WHERE f.site = w.site AND f.unit = w.unit AND f.boot = w.boot
                    AND f.lane = 'ordinary' AND f.type IN ('seat', 'tag')
                ORDER BY f.seq DESC LIMIT {limit}
            ) AS last
        ) FROM ({{rows}}) AS w
        """,  # noqa: S608 (a number)
        packed="seq, time_ms, received_ms, body",
        site="text",
        unit="text",
        boot="bigint",
    )


def last_of(
    connection: sa.Connection, boots: Sequence[tuple[str, str, int]], limit: int
) -> dict[Desk, dict[int, Event | None]]:
    """The last seat changes and taps of units' boots by number, of each at most so many.

    None stands for a tap that was no badge-in.
    """
    return {
        (site, unit): _read(packed) for site, unit, packed in _last(limit).run(connection, boots)
    }


def since(connection: sa.Connection, desk: Desk, boot: int, after: int) -> list[Event]:
    """The seat changes of a unit's boot, and its taps after a number; in order."""
    site, unit = desk
    here = {"site": site, "unit": unit, "boot": boot, "after": after}
    rows = connection.execute(_SINCE, here)
    return [event for row in rows if (event := _event(row.seq, _at(row), decode_event(row.body)))]


def _at(row: Any) -> int:
    return min(int(row.time_ms), int(row.received_ms))


def _read(packed: str | None) -> dict[int, Event | None]:
    """Seat changes and taps by number; None for a tap that was no badge-in."""
    return {
        seq: _event(seq, min(at_ms, came_ms), decode_event(body))
        for seq, at_ms, came_ms, body in (_unpack(packed) if packed else ())
    }


def events_of(news: Mapping[int, Incoming]) -> list[Event]:
    """What happened, in order."""
    events = (
        _event(seq, min(item.time_ms, item.received_ms), item.fact)
        for seq, item in sorted(news.items())
    )
    return [event for event in events if event is not None]


def _event(seq: int, time_ms: int, fact: AnyFact) -> Event | None:
    if isinstance(fact, Seat):
        return Event(seq, to_the_minute(time_ms), fact.occupied, None)
    if isinstance(fact, Tag) and not fact.enrol:
        return Event(seq, to_the_minute(time_ms), None, fact.tag)
    return None
