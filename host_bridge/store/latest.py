"""The last facts of a unit's lane, by the unit's own count."""

from collections.abc import Sequence

import sqlalchemy as sa

from host_bridge.contract.facts import Lane
from host_bridge.store.tables import facts, spans

BOOTS = 50
"""How many of a unit's boots are looked into at most: one that boots for ever has thousands."""

# Boot by boot, because no database walks the key's index backwards over several boots of one
# lane: SQLite sorts all facts of a boot for it. Which boots there are is known from the spans.
_BOOTS = (
    sa.select(spans.c.boot)
    .distinct()
    .where(
        spans.c.site == sa.bindparam("site"),
        spans.c.unit == sa.bindparam("unit"),
        spans.c.lane == sa.bindparam("lane"),
    )
    .order_by(spans.c.boot.desc())
    .limit(BOOTS)
)
_TYPES: sa.BindParameter[str] = sa.bindparam("types", expanding=True)
_FACTS = (
    sa.select(facts)
    .where(
        facts.c.site == sa.bindparam("site"),
        facts.c.unit == sa.bindparam("unit"),
        facts.c.boot == sa.bindparam("boot"),
        facts.c.lane == sa.bindparam("lane"),
        facts.c.type.in_(_TYPES),
        facts.c.id < sa.bindparam("before_id"),
    )
    .order_by(facts.c.seq.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


def find(
    connection: sa.Connection,
    stream: tuple[str, str, Lane],
    types: Sequence[str],
    before_id: int,
    limit: int,
) -> list[sa.RowMapping]:
    """Rows of facts, the latest first, at most `limit`.

    Args:
        connection: to the database.
        stream: site, unit and lane.
        types: types of facts.
        before_id: only facts with smaller ids.
        limit: how many at most.
    """
    named = dict(zip(("site", "unit", "lane"), stream, strict=True))
    rows: list[sa.RowMapping] = []
    for boot in connection.scalars(_BOOTS, named).all():
        asked = {**named, "boot": boot, "types": list(types), "before_id": before_id}
        rows += connection.execute(_FACTS, {**asked, "limit": limit - len(rows)}).mappings()
        if len(rows) >= limit:
            break
    return rows
