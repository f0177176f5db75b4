"""What is left of facts that are deleted; within the transaction that deletes them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import Seat
from host_bridge.domain.sessions import to_the_minute
from host_bridge.store.given_rows import GivenRows
from host_bridge.store.records import Stream
from host_bridge.store.tables import facts

PORTION = 500
"""Facts that are deleted in one transaction: others wait for it some milliseconds."""

_decode = msgspec.json.Decoder(Seat).decode
_NOTE = GivenRows(
    """
    INSERT INTO forgotten
        (site, unit, boot, lane, count, heard_ms, seat_seq, occupied, since_ms)
    SELECT * FROM ({rows}) AS news WHERE true
    ON CONFLICT (site, unit, boot, lane) DO UPDATE SET
        count = forgotten.count + excluded.count,
        heard_ms = CASE WHEN excluded.heard_ms > forgotten.heard_ms
            THEN excluded.heard_ms ELSE forgotten.heard_ms END,
        occupied = CASE WHEN excluded.seat_seq > forgotten.seat_seq
            THEN excluded.occupied ELSE forgotten.occupied END,
        since_ms = CASE WHEN excluded.seat_seq > forgotten.seat_seq
            THEN excluded.since_ms ELSE forgotten.since_ms END,
        seat_seq = CASE WHEN excluded.seat_seq > forgotten.seat_seq
            THEN excluded.seat_seq ELSE forgotten.seat_seq END
    """,
    site="text",
    unit="text",
    boot="bigint",
    lane="text",
    count="bigint",
    heard_ms="bigint",
    seat_seq="bigint",
    occupied="boolean",
    since_ms="bigint",
)


def delete(connection: sa.Connection, rows: Sequence[Any]) -> None:
    """Delete facts, and note what is left of them.

    Args:
        connection: within a transaction; on PostgreSQL it holds the locks of their units.
        rows: whole rows of the table of facts.
    """
    streams: dict[Stream, list[Any]] = defaultdict(list)
    for row in rows:
        streams[Stream(row.site, row.unit, row.boot, row.lane)].append(row)
    _NOTE.run(connection, [_left_of(stream, own) for stream, own in streams.items()])
    for start in range(0, len(rows), PORTION):
        some = rows[start : start + PORTION]
        here: sa.ColumnElement[bool] = facts.c.id.in_([row.id for row in some])
        if connection.dialect.name == "postgresql":
            # So that only the parts of those months are looked into.
            times = [row.received_ms for row in some]
            here = sa.and_(here, facts.c.received_ms.between(min(times), max(times)))
        connection.execute(sa.delete(facts).where(here))


def _left_of(stream: Stream, rows: Sequence[Any]) -> tuple[Any, ...]:
    # Of a press not even the minute stays.
    heard_ms = max(row.received_ms for row in rows) if stream.lane == "ordinary" else 0
    seat = max((row for row in rows if row.type == "seat"), key=lambda row: row.seq, default=None)
    sat: tuple[Any, ...] = (0, None, None)
    if seat is not None:
        since_ms = to_the_minute(min(seat.time_ms, seat.received_ms))
        sat = (seat.seq, _decode(seat.body).occupied, since_ms)
    return (*stream, len(rows), to_the_minute(heard_ms), *sat)
