"""What a site's facts have meant so far, before some of them are deleted.

The director's own rules (`domain.floor`) are told all that is left once more, so that what stays of
a desk is what the director would say of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from host_bridge.contract.facts import Press, Urgent
from host_bridge.domain.desk import Desk
from host_bridge.domain.floor import Floor, Withdrawal
from host_bridge.domain.groups import SignIn
from host_bridge.domain.headsets import TagRecord
from host_bridge.domain.sessions import to_the_minute
from host_bridge.settings import Site
from host_bridge.store import Settled, StoredFact

SURE_MS = 86_400_000
"""What is settled is older than a day: so much the director reads again at each start, and by then
nearly everything has arrived."""


@dataclass(slots=True)
class Recalled:
    """What was found.

    `settled`: how desks were when nobody was signed in there last, or after the last fact that is
    deleted. `signed_in`: who signed in with their own headset, in which room and when (Unix
    milliseconds); in memory only, for `domain.groups`.
    """

    settled: dict[str, Settled] = field(default_factory=dict)
    withdrawals: set[Withdrawal] = field(default_factory=set)
    signed_in: list[SignIn] = field(default_factory=list)


@dataclass(slots=True)
class _Told:
    """How far a unit's facts were told: the last one's number and time."""

    number: tuple[int, int] = (0, 0)
    time_ms: int = 0


def desk_of(settled: Settled) -> Desk:
    """The desk as it was then."""
    return Desk(
        occupied=settled.occupied,
        since=settled.since_ms,
        used=settled.used,
        dirty=settled.dirty,
    )


class Recall:
    """Tells a floor what is left of a site's facts, and looks at it on the way."""

    def __init__(
        self,
        site: Site,
        record: Callable[[str], TagRecord | None],
        settled: Mapping[str, Settled],
        *,
        now_ms: int,
        goes: Callable[[StoredFact], bool],
    ) -> None:
        """Nothing is read before `tell`.

        Args:
            site: the rooms and rules.
            record: looks a tag up in the register.
            settled: what is settled already.
            now_ms: the host's clock.
            goes: is a fact about to be deleted?
        """
        self.found = Recalled()
        self._records: dict[str, TagRecord | None] = {}
        self._record = record
        self._floor = Floor(site, self._look_up)
        for unit, each in settled.items():
            self._floor.begin(unit, desk_of(each), (each.boot, each.seq))
        self._rooms = {desk.unit: room.name for room in site.rooms for desk in room.desks}
        self._told = {
            unit: _Told((settled[unit].boot, settled[unit].seq)) if unit in settled else _Told()
            for unit in self._rooms
        }
        self._held: set[str] = set()
        self._sure_ms = now_ms - SURE_MS
        self._now_ms = now_ms
        self._goes = goes

    def tell(self, facts: Iterable[StoredFact]) -> None:
        """The next facts, in the order of the commits."""
        for fact in facts:
            if fact.unit in self._rooms:
                self._tell(fact)

    def end(self) -> Recalled:
        """Look at every desk a last time."""
        for unit in self._rooms:
            self._note(unit, self._now_ms)
        self.found.withdrawals = set(self._floor.withdrawals)
        return self.found

    def _tell(self, fact: StoredFact) -> None:
        unit, told = fact.unit, self._told[fact.unit]
        time_ms = min(fact.time_ms, fact.received_ms)
        ordinary = not isinstance(fact.fact, Press | Urgent)
        if ordinary:
            self._note(unit, time_ms)
        verdicts = {answer.verdict for answer in self._floor.fold([fact])}
        if not ordinary:
            return
        if (fact.boot, fact.seq) > told.number:
            told.number, told.time_ms = (fact.boot, fact.seq), time_ms
        if "own" in verdicts:
            person = self._floor.desk(unit, time_ms).holder
            if person is not None:
                self.found.signed_in.append(SignIn(time_ms, self._rooms[unit], person))
        if self._goes(fact):
            # Whoever is signed in since before is unknown from now on, but has used the desk.
            desk = self._floor.desk(unit, time_ms)
            self._keep(unit, replace(desk, used=desk.used or desk.holder is not None))
            if desk.holder is not None:
                self._held.add(unit)

    def _note(self, unit: str, at_ms: int) -> None:
        """If nobody is signed in at that time, that is how the desk was after its last fact.

        Something younger than is sure counts only where somebody was signed in, and nobody could
        tell any more who.
        """
        told = self._told[unit]
        sure = told.time_ms <= self._sure_ms
        if not (sure or unit in self._held) or told.number == (0, 0):
            return
        desk = self._floor.desk(unit, min(at_ms, self._sure_ms) if sure else at_ms)
        if desk.holder is None:
            self._keep(unit, desk)
            self._held.discard(unit)

    def _keep(self, unit: str, desk: Desk) -> None:
        since_ms = to_the_minute(max(desk.since, desk.held_since))
        number = self._told[unit].number
        self.found.settled[unit] = Settled(*number, desk.occupied, since_ms, desk.used, desk.dirty)

    def _look_up(self, tag: str) -> TagRecord | None:
        if tag not in self._records:
            self._records[tag] = self._record(tag)
        return self._records[tag]
