"""Gaps: sequence numbers that units used and the host has never seen."""

from typing import Any

import sqlalchemy as sa

from host_bridge.store.records import Gap
from host_bridge.store.tables import spans, tails

_STREAM = ("site", "unit", "boot", "lane")


def find(connection: sa.Connection) -> list[Gap]:
    """One entry for each stream that misses something, with how much and since when.

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
    found = [Gap(**row) for row in connection.execute(query).mappings()]
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
