"""What is so now, kept up with each commit: units, seats, sessions.

Units and seats are merged by the facts' own order (boot, number) within the database, so no order
of arrival and no other worker can spoil them, and nothing has to be read first. A session is
folded (`domain.sessions`): from its row if its desk's facts came in order, else from the facts
themselves. Everything is of the ordinary lane; a press moves nothing here.

On PostgreSQL the commit holds the locks of its units already, so that no other one writes the same
rows at the same time.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from host_bridge.store.given_rows import GivenRows
from host_bridge.store.records import Incoming, Key, Stream
from host_bridge.store.sessions import keep
from host_bridge.store.spans import Known
from host_bridge.store.unit_state import Desk, UnitState

_MERGE = GivenRows(
    """
    INSERT INTO unit_states
        (site, unit, boot, firmware, heard_ms, seat_boot, seat_seq, occupied, since_ms)
    SELECT * FROM ({rows}) AS news WHERE true
    ON CONFLICT (site, unit) DO UPDATE SET
        firmware = CASE
            WHEN excluded.boot > unit_states.boot THEN excluded.firmware
            WHEN excluded.boot = unit_states.boot
                THEN coalesce(excluded.firmware, unit_states.firmware)
            ELSE unit_states.firmware END,
        boot = CASE WHEN excluded.boot > unit_states.boot
            THEN excluded.boot ELSE unit_states.boot END,
        heard_ms = CASE WHEN excluded.heard_ms > unit_states.heard_ms
            THEN excluded.heard_ms ELSE unit_states.heard_ms END,
        occupied = CASE
            WHEN (excluded.seat_boot, excluded.seat_seq)
                > (unit_states.seat_boot, unit_states.seat_seq)
            THEN excluded.occupied ELSE unit_states.occupied END,
        since_ms = CASE
            WHEN (excluded.seat_boot, excluded.seat_seq)
                > (unit_states.seat_boot, unit_states.seat_seq)
            THEN excluded.since_ms ELSE unit_states.since_ms END,
        seat_boot = CASE
            WHEN (excluded.seat_boot, excluded.seat_seq)
                > (unit_states.seat_boot, unit_states.seat_seq)
            THEN excluded.seat_boot ELSE unit_states.seat_boot END,
        seat_seq = CASE
            WHEN (excluded.seat_boot, excluded.seat_seq)
                > (unit_states.seat_boot, unit_states.seat_seq)
            THEN excluded.seat_seq ELSE unit_states.seat_seq END
    WHERE excluded.boot > unit_states.boot
        OR excluded.heard_ms > unit_states.heard_ms
        OR (excluded.boot = unit_states.boot AND excluded.firmware IS NOT NULL)
        OR (excluded.seat_boot, excluded.seat_seq)
            > (unit_states.seat_boot, unit_states.seat_seq)
    """,
    site="text",
    unit="text",
    boot="bigint",
    firmware="text",
    heard_ms="bigint",
    seat_boot="bigint",
    seat_seq="bigint",
    occupied="boolean",
    since_ms="bigint",
)


def project(
    connection: sa.Connection, fresh: dict[Key, Incoming], known: dict[Stream, list[Known]]
) -> None:
    """Write what follows from new facts, before they themselves are written.

    Args:
        connection: within the commit's transaction.
        fresh: the facts that are new.
        known: the spans of their streams as they were before.
    """
    states = gather(fresh.items())
    if states:
        keep(connection, states, {d for d, state in states.items() if state.is_late(known)})
        _MERGE.run(connection, [state.row() for state in states.values()])


def gather(facts: Iterable[tuple[Key, Incoming]]) -> dict[Desk, UnitState]:
    """What the facts say, by unit, whatever their order."""
    states: dict[Desk, UnitState] = {}
    for (stream, seq), item in facts:
        if stream.lane == "ordinary":
            desk = stream[:2]
            state = states.get(desk)
            if state is None:
                state = states[desk] = UnitState(stream)
            state.take(stream, seq, item)
    return states
