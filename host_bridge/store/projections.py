"""What is so now, kept up with each commit: units, seats, sessions.

Units and seats are merged by the facts' own order (boot, number) within the database, so no order
of arrival and no other worker can spoil them, and nothing has to be read first. A session is
folded (`domain.sessions`): from its row if its desk's facts came in order, else from the facts
themselves. Everything is of the ordinary lane; a press moves nothing here.

On PostgreSQL the commit holds the locks of its units already, so that no other one writes the same
rows at the same time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from host_bridge.contract.facts import Boot, Seat, Tag
from host_bridge.domain.sessions import Event, to_the_minute
from host_bridge.store.json_rows import JsonRows
from host_bridge.store.records import Incoming, Key, Stream
from host_bridge.store.sessions import Touched, keep
from host_bridge.store.spans import Known

Desk = tuple[str, str]
"""Site and unit."""


@dataclass(slots=True)
class State:
    """What a batch says of a unit: a row of `unit_states`, and what happened at its desk."""

    boot: int = 0
    firmware: str | None = None
    heard_ms: int = 0
    seat: tuple[int, int] = (0, 0)
    occupied: bool | None = None
    since_ms: int | None = None
    tapped: bool = False
    events: dict[int, list[Event]] = field(default_factory=dict)

    def take(self, boot: int, seq: int, item: Incoming) -> None:
        """Take in what a fact says beyond that there is one."""
        fact = item.fact
        if isinstance(fact, Seat):
            at_ms = to_the_minute(min(item.time_ms, item.received_ms))
            if (boot, seq) > self.seat:
                self.seat, self.occupied, self.since_ms = (boot, seq), fact.occupied, at_ms
            self.events.setdefault(boot, []).append(Event(seq, at_ms, fact.occupied, None))
        elif isinstance(fact, Tag):
            if not fact.enrol:
                at_ms = to_the_minute(min(item.time_ms, item.received_ms))
                self.events.setdefault(boot, []).append(Event(seq, at_ms, None, fact.tag))
                self.tapped = True
        elif isinstance(fact, Boot) and seq == 1 and boot == self.boot:
            self.firmware = _storable(fact.firmware)

    def row(self, desk: Desk) -> tuple[object, ...]:
        """The columns of `unit_states`, in their order."""
        return (
            *desk,
            self.boot,
            self.firmware,
            self.heard_ms,
            *self.seat,
            self.occupied,
            self.since_ms,
        )


_MERGE = JsonRows(
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
    if not states:
        return
    keep(connection, [_touched(desk, state, known) for desk, state in states.items()])
    _MERGE.run(connection, [state.row(desk) for desk, state in states.items()])


def gather(facts: Iterable[tuple[Key, Incoming]]) -> dict[Desk, State]:
    """What the facts say, by unit, whatever their order."""
    states: dict[Desk, State] = {}
    for ((site, unit, boot, lane), seq), item in facts:
        if lane != "ordinary":
            continue
        state = states.get((site, unit))
        if state is None:
            state = states[site, unit] = State()
        if boot > state.boot:
            state.boot, state.firmware = boot, None
        state.heard_ms = max(state.heard_ms, item.received_ms)
        state.take(boot, seq, item)
    for state in states.values():
        state.heard_ms = to_the_minute(state.heard_ms)
    return states


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL, and no database half a surrogate pair."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _touched(desk: Desk, state: State, known: dict[Stream, list[Known]]) -> Touched:
    """What happened at a desk, of the highest boot in the batch: only that can matter."""
    events = sorted(state.events.get(state.boot, ()))
    spans = known.get(Stream(*desk, state.boot, "ordinary"))
    late = bool(events and spans and events[0].seq < spans[-1].last)
    return Touched(desk, state.boot, events, late=late, tapped=state.tapped)
