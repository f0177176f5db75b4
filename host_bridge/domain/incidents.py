"""Incidents: presses of one desk that belong together, and what was done about them.

An incident is a function of facts and records: folding them again gives the same. It names a desk
and a time, never a person, and says nothing about how often anybody pressed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from host_bridge.contract.facts import AnyFact, Press, Urgent
from host_bridge.domain.timeline import Happening

WINDOW_MS = 300_000
"""Presses that follow each other within this time belong to one incident, in milliseconds."""

Word = Literal["heard", "withdrawn"]
State = Literal["new", "heard", "withdrawn"]

_Done = set[tuple[str, int, int, str]]


class Report(Happening, Protocol):
    """A committed fact of the button's lane."""

    @property
    def id(self) -> int:
        """Grows in the order of the commits."""

    @property
    def sure(self) -> str:
        """Where its time comes from; "arrival" says that it may be off by hours."""


_Report = TypeVar("_Report", bound=Report)


class Record(Protocol):
    """What somebody did about an incident of `unit` whose last report was (`boot`, `seq`)."""

    @property
    def unit(self) -> str:
        """The unit."""

    @property
    def boot(self) -> int:
        """The unit's boot."""

    @property
    def seq(self) -> int:
        """The incident's last report at that time."""

    @property
    def word(self) -> str:
        """A `Word`."""

    @property
    def time_ms(self) -> int:
        """When, in Unix milliseconds."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Presses that belong together.

    `id` is that of the report that was committed first. `time_ms` is when it began, in Unix
    milliseconds, and `sure` how that is known. (`boot`, `seq`) is its last report: that is what a
    record about it names. `drill`: practice, which never counts.
    """

    id: int
    unit: str
    time_ms: int
    sure: str
    boot: int
    seq: int
    urgent: bool
    drill: bool
    state: State


def fold(reports: Iterable[Report], records: Iterable[Record]) -> list[Incident]:
    """Put reports together and say how each incident stands, oldest first.

    A press after its incident was withdrawn begins a new one. A press after it was heard makes it
    new again: nobody has answered for that press yet. Practice and earnest are never mixed.
    """
    done = {(record.unit, record.boot, record.seq, record.word) for record in records}
    incidents = [_incident(group, done) for group in _groups(reports, done)]
    return sorted(incidents, key=lambda incident: (incident.time_ms, incident.id))


def closed(
    reports: Iterable[_Report], records: Iterable[Record]
) -> list[tuple[list[_Report], int]]:
    """The reports of each incident that is over, and since when (Unix milliseconds).

    A withdrawal closes an incident, and practice is over when it is made. So far nothing else
    closes one: what is new or heard stays open.
    """
    times = {(each.unit, each.boot, each.seq, each.word): each.time_ms for each in records}
    found = []
    for group in _groups(reports, set(times)):
        withdrawn = times.get((*_key(group[-1]), "withdrawn"))
        if withdrawn is not None:
            found.append((group, withdrawn))
        elif _drill(group[0].fact):
            found.append((group, max(report.time_ms for report in group)))
    return found


def _groups(reports: Iterable[_Report], done: _Done) -> list[list[_Report]]:
    """The reports of each incident, in their order."""
    groups: dict[str, list[list[_Report]]] = {}
    for report in sorted(reports, key=lambda each: (each.unit, each.boot, each.seq)):
        own = groups.setdefault(report.unit, [])
        if own and _belongs(own[-1][-1], report, done):
            own[-1].append(report)
        else:
            own.append([report])
    return [group for own in groups.values() for group in own]


def _belongs(before: Report, after: Report, done: _Done) -> bool:
    """Does `after`, the unit's next report, belong to the same incident as `before`?"""
    if _drill(before.fact) != _drill(after.fact) or (*_key(before), "withdrawn") in done:
        return False
    if before.boot == after.boot:
        return after.fact.up - before.fact.up <= WINDOW_MS
    if "arrival" in (before.sure, after.sure):
        return False  # hours may lie between them: better two incidents than one that is lost
    return after.time_ms - before.time_ms <= WINDOW_MS


def _incident(group: list[Report], done: _Done) -> Incident:
    first, last = group[0], group[-1]
    state: State = "new"
    if (*_key(last), "heard") in done:
        state = "heard"
    if (*_key(last), "withdrawn") in done:
        state = "withdrawn"
    return Incident(
        id=min(report.id for report in group),
        unit=first.unit,
        time_ms=first.time_ms,
        sure=first.sure,
        boot=last.boot,
        seq=last.seq,
        urgent=any(isinstance(report.fact, Urgent) for report in group),
        drill=_drill(first.fact),
        state=state,
    )


def _key(report: Report) -> tuple[str, int, int]:
    return report.unit, report.boot, report.seq


def _drill(fact: AnyFact) -> bool:
    return isinstance(fact, Press | Urgent) and fact.drill
