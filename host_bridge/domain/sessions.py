"""Sessions: at which desks somebody is signed in, told from one desk's own facts alone.

Pure, and of the present only: no session that has ended is known here. It begins with the tap of
a headset that is in circulation and ends with the next tap of the same person, when the seat has
been empty for too long, and when the unit starts anew. What one desk's facts can't tell is left to
the director: whether it has been cleaned, who is signed in elsewhere, and the button, of whose
facts none comes in here: so the tap that withdraws a report counts as leaving.

A session also ends where the unit's numbers pass a multiple of `BLOCK`. Without that, one late
fact could mean reading all that a unit has said since it started.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from host_bridge.domain.headsets import IN_CIRCULATION, TagRecord

BLOCK = 65_536
"""Numbers of a lane that are looked at together at the most; two years of a busy desk."""

MINUTE_MS = 60_000
"""How finely times are kept."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in: since when, by the fact (`boot`, `seq`), times to the minute.

    `idle_ms` is since when nobody has sat there, None while somebody does. `person` is in memory
    only, and there only while taps are judged.
    """

    boot: int
    seq: int
    since_ms: int
    idle_ms: int | None
    person: int | None = field(default=None, compare=False)


class Event(NamedTuple):
    """A seat change (`occupied`) or a tap (`tag`) of a unit's boot; `time_ms` to the minute."""

    seq: int
    time_ms: int
    occupied: bool | None
    tag: str | None


class Rules(NamedTuple):
    """What a fold needs to know: the boot that its events are of, and the register.

    `limit_ms`: after so long with an empty seat a session has ended.
    """

    boot: int
    limit_ms: int
    register: Mapping[str, TagRecord]


def to_the_minute(time_ms: int) -> int:
    """The beginning of the minute."""
    return time_ms - time_ms % MINUTE_MS


def block(seq: int) -> int:
    """The number of the block that a fact lies in."""
    return seq // BLOCK


def fold(
    session: Session | None, events: Iterable[Event], rules: Rules, *, seat: Event | None = None
) -> Session | None:
    """The session after events of one boot, in the order of their numbers.

    Args:
        session: the one before them.
        events: what happened.
        rules: how to judge them.
        seat: the last seat change before them.
    """
    for event in events:
        if session is not None and has_ended(session, event, rules):
            session = None
        if event.occupied is not None:
            seat = event
            if session is not None:
                idle_ms = None if event.occupied else event.time_ms
                session = replace(session, idle_ms=idle_ms)
        else:
            sits = seat is not None and bool(seat.occupied) and block(seat.seq) == block(event.seq)
            session = _tap(session, event, rules, sits=sits)
    return session


def has_ended(session: Session, event: Event, rules: Rules) -> bool:
    """Was the session over before the event?"""
    if session.boot != rules.boot or block(session.seq) != block(event.seq):
        return True
    return session.idle_ms is not None and event.time_ms - session.idle_ms >= rules.limit_ms


def decisive(events: Sequence[Event], limit_ms: int) -> int:
    """From which place on events of one block tell by themselves whether there is a session.

    Returns:
        The place behind the last long absence, 0 when there was none.
    """
    for place in range(len(events) - 1, 0, -1):
        left, back = events[place - 1], events[place]
        if left.occupied is False and back.time_ms - left.time_ms >= limit_ms:
            return place
    return 0


def _tap(session: Session | None, event: Event, rules: Rules, *, sits: bool) -> Session | None:
    record = rules.register.get(event.tag or "")
    if record is None or record.status != IN_CIRCULATION or record.person is None:
        return session
    if session is not None:
        return None if record.person == session.person else session
    if record.kind != "headset":
        return None
    idle_ms = None if sits else event.time_ms
    return Session(rules.boot, event.seq, event.time_ms, idle_ms, record.person)
