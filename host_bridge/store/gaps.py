"""Gaps: sequence numbers that units used and the host has never seen."""

from typing import Any

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import MAX_COUNT, Dropped
from host_bridge.store.records import Gap
from host_bridge.store.spans import merge
from host_bridge.store.tables import facts, spans, tails

_STREAM = ("site", "unit", "boot", "lane")


def find(connection: sa.Connection) -> list[Gap]:
    """One entry for each stream that misses something: how much, since when, what the unit dropped.

    Two kinds: holes before a number that did come, and lost tails, which the boot fact of the
    following boot tells of.
    """
    seen = _seen()
    on = sa.and_(*(seen.c[name] == tails.c[name] for name in _STREAM))
    top = sa.func.coalesce(seen.c.top, 0)
    cut = sa.select(
        *(tails.c[name] for name in _STREAM),
        (tails.c.last - sa.func.coalesce(seen.c.received, 0)).label("missing"),
        sa.func.coalesce(seen.c.since_ms, tails.c.since_ms).label("since_ms"),
    ).select_from(tails.outerjoin(seen, on))
    holes = sa.select(
        *(seen.c[name] for name in _STREAM),
        (seen.c.top - seen.c.received).label("missing"),
        seen.c.since_ms,
    ).select_from(seen.outerjoin(tails, on))
    query = sa.union_all(
        cut.where(tails.c.last > top),
        holes.where(
            seen.c.top > seen.c.received,
            seen.c.top >= sa.func.coalesce(tails.c.last, 0),
        ),
    )
    found = [_explained(connection, Gap(**row)) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda gap: (gap.site, gap.unit, gap.boot, gap.lane))


def _seen() -> sa.Subquery:
    """Per stream: how many numbers came, the greatest, and when the first hole showed."""
    behind_hole: Any = sa.case((spans.c.first > 1, spans.c.since_ms))
    columns = [spans.c[name] for name in _STREAM]
    return (
        sa.select(
            *columns,
            sa.func.sum(spans.c.last - spans.c.first + 1).label("received"),
            sa.func.max(spans.c.last).label("top"),
            sa.func.min(behind_hole).label("since_ms"),
        )
        .group_by(*columns)
        .subquery()
    )


def _explained(connection: sa.Connection, gap: Gap) -> Gap:
    """The gap with how many of its numbers the unit says it had to drop."""
    ranges = _dropped(connection, gap)
    if not ranges:
        return gap
    query = sa.select(spans.c.first, spans.c.last).where(*_at(spans, gap)).order_by(spans.c.first)
    top = connection.scalar(sa.select(tails.c.last).where(*_at(tails, gap))) or 0
    dropped, behind = 0, 0
    for first, last in [*connection.execute(query).all(), (top + 1, top)]:
        if first > behind + 1:
            dropped += _covered(behind + 1, first - 1, ranges)
        behind = max(behind, last)
    return msgspec.structs.replace(gap, dropped=dropped)


def _at(table: sa.Table, gap: Gap) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == getattr(gap, name) for name in _STREAM]


def _dropped(connection: sa.Connection, gap: Gap) -> list[tuple[int, int]]:
    """Ranges of the stream's numbers that the unit has reported as dropped, merged."""
    query = sa.select(facts.c.body).where(
        facts.c.site == gap.site,
        facts.c.unit == gap.unit,
        facts.c.boot >= gap.boot,
        facts.c.lane == "ordinary",
        facts.c.type == "dropped",
    )
    found = []
    for body in connection.scalars(query):
        fact = msgspec.json.decode(body, type=Dropped)
        if fact.lane == gap.lane and fact.first.boot <= gap.boot <= fact.last.boot:
            first = fact.first.seq if fact.first.boot == gap.boot else 1
            found.append((first, fact.last.seq if fact.last.boot == gap.boot else MAX_COUNT))
    return merge(found)


def _covered(first: int, last: int, ranges: list[tuple[int, int]]) -> int:
    """How many of the numbers from `first` to `last` lie in one of the ranges."""
    return sum(max(0, min(last, end) - max(first, begin) + 1) for begin, end in ranges)
