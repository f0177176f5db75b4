"""A whole site: facts in, answers and the state of every desk out.

The floor's state is a function of the facts: folding them again, in any order, gives the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from host_bridge.contract.facts import AnyFact, Press, Seat, Tag, Urgent
from host_bridge.contract.messages import SeatWord, VerdictWord
from host_bridge.domain import headsets, occupancy, seating
from host_bridge.domain.desk import Desk, Pressed
from host_bridge.domain.guidance import Shown, claimed, seat_word
from host_bridge.domain.timeline import Entry, Happening, Timeline
from host_bridge.settings import Room, Site

DAY_MS = 86_400_000
_NEVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on a tap: the fact (`boot`, `seq`) of `unit`.

    `age_ms` is how old the tap was when it was sent, None when an earlier boot left it behind.
    """

    unit: str
    boot: int
    seq: int
    verdict: VerdictWord
    received_ms: int
    age_ms: int | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Whoever is signed in at `unit` has taken back the presses up to (`boot`, `seq`).

    `time` in Unix milliseconds.
    """

    unit: str
    boot: int
    seq: int
    time: int


@dataclass(frozen=True, slots=True)
class DeskView:
    """A desk as anybody may see it: its place (metres), its guidance, and what is shown."""

    name: str
    unit: str
    x: float
    y: float
    seat: SeatWord
    shown: Shown


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as anybody may see it. `people` is how many places are claimed now."""

    name: str
    cap: int | None
    clearance: float
    people: int
    desks: tuple[DeskView, ...]

    @property
    def counts(self) -> Counter[Shown]:
        """How many desks are in each state."""
        return Counter(desk.shown for desk in self.desks)


def day_number(now_ms: int) -> int:
    """The shift of a site that changes its classes every day (UTC)."""
    return now_ms // DAY_MS


class _Seen(NamedTuple):
    """What `Floor.view` found, and from when until when that holds."""

    key: tuple[int, int, dict[str, bool]]
    since_ms: int
    until_ms: int
    rooms: tuple[RoomView, ...]


class Floor:
    """The fold of a site's facts.

    `ignored` counts facts of units that are at no desk of the plan. `withdrawals` are those that
    were found since the caller last took them away; the same one may be found again.
    """

    def __init__(
        self,
        site: Site,
        record: Callable[[str], headsets.TagRecord | None],
        shift: Callable[[int], int] = day_number,
    ) -> None:
        """Start with every desk empty and ready.

        Args:
            site: the rooms and rules.
            record: looks a tag up in the register, once for each tap.
            shift: the number of the shift at a time in Unix milliseconds.
        """
        self.ignored = 0
        self.withdrawals: set[Withdrawal] = set()
        self._site = site
        self._record = record
        self._shift = shift
        self._away_ms = round(site.away_minutes * 60_000)
        self._timeline = Timeline()
        self._desks = {desk.unit: Desk() for room in site.rooms for desk in room.desks}
        self._settled: dict[str, tuple[int, int]] = {}
        self._held: dict[int, set[str]] = {}
        self._plans = [_Plan(room) for room in site.rooms]
        self._changes = 0
        self._seen: _Seen | None = None

    @property
    def late(self) -> int:
        """Facts that came too late to matter."""
        return self._timeline.late

    def desk(self, unit: str, now_ms: int) -> Desk:
        """A desk as it is now."""
        return occupancy.settle(self._desks[unit], now_ms, self._away_ms)

    def begin(self, unit: str, desk: Desk, after: tuple[int, int]) -> None:
        """Take a desk as it was after an ordinary fact (boot, seq); earlier ones are in it."""
        if unit in self._desks:
            self._set(unit, desk)
            self._settled[unit] = after

    def fold(self, happenings: Iterable[Happening]) -> list[Answer]:
        """Take facts in any order.

        Returns:
            The answers to the taps among them, in order of time. Whether an answer is still
            wanted is for the caller to say.
        """
        received = {}
        for happening in happenings:
            if happening.unit not in self._desks:
                self.ignored += 1
            elif _matters(happening.fact) and not self._is_settled(happening):
                entry = Entry(happening, self._look_up(happening))
                received[entry] = happening.received_ms
        undo, redo = self._timeline.insert(received)
        for entry in undo:
            self._set(entry.unit, entry.before)
        answers = []
        for entry in redo:
            verdict = self._apply(entry)
            if verdict is not None and entry in received:
                sent = received[entry], entry.fact.age
                answers.append(Answer(entry.unit, entry.boot, entry.seq, verdict, *sent))
        self._timeline.prune()
        return answers

    def view(self, now_ms: int, online: Mapping[str, bool]) -> tuple[RoomView, ...]:
        """Every room now. A unit that `online` does not name has never been seen.

        Looked at every second, while it changes some times a minute: as long as nothing has
        happened and no time limit has passed, it is the same object as before.
        """
        key = (self._changes, self._shift(now_ms), dict(online))
        seen = self._seen
        if seen is None or seen.key != key or not seen.since_ms <= now_ms < seen.until_ms:
            rooms = tuple(self._room(plan, now_ms, online) for plan in self._plans)
            seen = self._seen = _Seen(key, now_ms, self._next_away(now_ms), rooms)
        return seen.rooms

    def _is_settled(self, happening: Happening) -> bool:
        """Is it in what the desk began with?"""
        after = self._settled.get(happening.unit)
        if after is None or isinstance(happening.fact, Press | Urgent):
            return False
        return (happening.boot, happening.seq) <= after

    def _next_away(self, now_ms: int) -> int:
        """When the next away limit passes, if nothing happens before."""
        limits = (occupancy.away_at(desk, self._away_ms) for desk in self._desks.values())
        return min((at for at in limits if at is not None and at > now_ms), default=_NEVER_MS)

    def _look_up(self, happening: Happening) -> headsets.TagRecord | None:
        fact = happening.fact
        return self._record(fact.tag) if isinstance(fact, Tag) else None

    def _apply(self, entry: Entry) -> VerdictWord | None:
        """Change the entry's desk; the verdict if it was a tap."""
        entry.before = self._desks[entry.unit]
        desk = self.desk(entry.unit, entry.time)
        if isinstance(entry.fact, Seat):
            self._set(entry.unit, occupancy.seat(desk, entry.fact.occupied, entry.time))
            return None
        if isinstance(entry.fact, Press | Urgent):
            pressed = Pressed(entry.boot, entry.seq, entry.fact.up)
            self._set(entry.unit, replace(desk, pressed=pressed))
            return None
        elsewhere = self._is_elsewhere(entry)
        tap = headsets.Tap(entry.record, entry.time, elsewhere, entry.boot, entry.fact.up)
        verdict, after = headsets.decide(desk, tap, self._site.badge_in)
        self._set(entry.unit, after)
        if verdict == "withdrawn" and desk.pressed is not None:
            back = desk.pressed
            self.withdrawals.add(Withdrawal(entry.unit, back.boot, back.seq, entry.time))
        return verdict

    def _is_elsewhere(self, entry: Entry) -> bool:
        person = entry.record.person if entry.record else None
        if person is None:
            return False
        units = self._held.get(person, set()) - {entry.unit}
        return any(self.desk(unit, entry.time).holder == person for unit in units)

    def _set(self, unit: str, desk: Desk) -> None:
        """Keep a desk's new state, and who holds which desk."""
        before = self._desks[unit].holder
        if before != desk.holder:
            if before is not None:
                self._held[before].discard(unit)
            if desk.holder is not None:
                self._held.setdefault(desk.holder, set()).add(unit)
        self._desks[unit] = desk
        self._changes += 1

    def _room(self, plan: "_Plan", now_ms: int, online: Mapping[str, bool]) -> RoomView:
        room = plan.room
        allowed = plan.allowed(self._shift(now_ms))
        desks = [self.desk(place.unit, now_ms) for place in room.desks]
        people = sum(map(claimed, desks))
        full = room.cap is not None and people >= room.cap
        views = []
        for index, (place, desk) in enumerate(zip(room.desks, desks, strict=True)):
            seat = seat_word(desk, allowed=index in allowed, full=full)
            shown: Shown = seat if online.get(place.unit, False) else "offline"
            views.append(DeskView(place.name, place.unit, place.x, place.y, seat, shown))
        return RoomView(room.name, room.cap, room.clearance, people, tuple(views))


def _matters(fact: AnyFact) -> bool:
    """Does it change a desk? A tag that was presented to be enrolled does not."""
    return isinstance(fact, Seat | Press | Urgent) or (isinstance(fact, Tag) and not fact.enrol)


class _Plan:
    """A room's seating plan; worked out once for each shift."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._graph = seating.conflicts([(desk.x, desk.y) for desk in room.desks], room.clearance)
        self._shift: int | None = None
        self._allowed: seating.Class = frozenset()

    def allowed(self, shift: int) -> seating.Class:
        """The desks (by their place in the room's list) that may be used in a shift."""
        if shift != self._shift:
            self._shift, self._allowed = shift, seating.allowed(self._graph, shift)
        return self._allowed
