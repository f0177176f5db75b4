"""How desks are, as far as that rests on facts that are about to be deleted: table `settled`."""

from typing import NamedTuple

import sqlalchemy as sa

from host_bridge.store import sessions
from host_bridge.store.current_tables import unit_states
from host_bridge.store.given_rows import GivenRows
from host_bridge.store.retention_tables import settled
from host_bridge.store.tables import facts
from host_bridge.store.unit_state import Desk


class Settled(NamedTuple):
    """A desk after its unit's ordinary fact (`boot`, `seq`), with nobody signed in there.

    `since_ms`: since when the seat is as it is, to the minute. What they mean: `domain.desk`.
    """

    boot: int
    seq: int
    occupied: bool
    since_ms: int
    used: bool
    dirty: bool


NOTHING = Settled(0, 0, False, 0, False, False)
"""Of a desk of which nothing is settled yet."""

_PUT = GivenRows(
    """
    INSERT INTO settled
        (site, unit, boot, seq, occupied, since_ms, used, dirty, signed_boot, signed_seq)
    SELECT * FROM ({rows}) AS news WHERE true
    ON CONFLICT (site, unit) DO UPDATE SET boot = excluded.boot, seq = excluded.seq,
        occupied = excluded.occupied, since_ms = excluded.since_ms, used = excluded.used,
        dirty = excluded.dirty, signed_boot = excluded.signed_boot,
        signed_seq = excluded.signed_seq
    """,
    site="text",
    unit="text",
    boot="bigint",
    seq="bigint",
    occupied="boolean",
    since_ms="bigint",
    used="boolean",
    dirty="boolean",
    signed_boot="bigint",
    signed_seq="bigint",
)


def read(connection: sa.Connection, site: str) -> dict[str, Settled]:
    """What is settled, by unit."""
    columns = (settled.c[name] for name in ("unit", *Settled._fields))
    rows = connection.execute(sa.select(*columns).where(settled.c.site == site))
    return {unit: Settled(*rest) for unit, *rest in rows}


def settle(
    connection: sa.Connection,
    desk: Desk,
    found: Settled | None,
    due: sa.ColumnElement[bool],
    bound_ms: int,
) -> None:
    """Write what is settled about a desk, before its facts are deleted.

    Args:
        connection: within the transaction that deletes them.
        desk: site and unit.
        found: what the floor says; None when it says nothing new.
        due: which facts are deleted.
        bound_ms: nothing later than this is settled, unless it is deleted.
    """
    state, signed = _known(connection, desk)
    if found is not None and found[:2] >= state[:2]:
        state = found
    boot = connection.scalar(sa.select(unit_states.c.boot).where(*_at(unit_states, desk)))
    if boot is not None:
        last = connection.scalar(
            sa.select(sa.func.max(facts.c.seq)).where(
                *_at(facts, desk), facts.c.boot == boot, facts.c.type.in_(("tag", "seat")), due
            )
        )
        after = sessions.nobody_after(connection, desk, boot, due=last or 0, bound_ms=bound_ms)
        signed = boot, after
    _PUT.run(connection, [(*desk, *state, *signed)])
    rows = sessions.stored(connection, desk)
    if any((session.boot, session.seq) <= signed for session in rows.values()):
        # It has ended by time alone; or the tap that began it goes, and then nobody can tell any
        # more whose it was, nor when it ends.
        sessions.write(connection, rows, sessions.refold(connection, {desk: signed[0]}))


def _known(connection: sa.Connection, desk: Desk) -> tuple[Settled, tuple[int, int]]:
    row = connection.execute(sa.select(settled).where(*_at(settled, desk))).first()
    if row is None:
        return NOTHING, (0, 0)
    state = Settled(row.boot, row.seq, row.occupied, row.since_ms, row.used, row.dirty)
    return state, (row.signed_boot, row.signed_seq)


def _at(table: sa.Table, desk: Desk) -> list[sa.ColumnElement[bool]]:
    return [table.c.site == desk[0], table.c.unit == desk[1]]
