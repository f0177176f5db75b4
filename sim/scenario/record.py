"""What happened in a story, for the report: who did what when, what was seen, what failed."""

from collections.abc import Callable
from typing import Literal

import msgspec

Kind = Literal["tap", "press", "seat", "clean", "shown", "fault", "fact", "met", "failed", "note"]
"""`shown` is what a desk's display says from then on; `met` and `failed` are expectations."""


class Event(msgspec.Struct, frozen=True):
    """Something that happened `at` seconds after the beginning, at a desk or (None) to the host.

    `until` is the end of what lasted.
    """

    at: float
    desk: str | None
    kind: Kind
    text: str
    until: float | None = None
    line: int = 0


class Record:
    """Takes down events as they come."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.events: list[Event] = []
        self.lives: dict[str, list[tuple[float, str]]] = {}
        """When each desk's unit began or ended to run, and why: on, cut, or a reset's cause."""
        self._now = now
        self._shown: dict[str, str] = {}

    def begin(self, shown: dict[str, str]) -> None:
        """The story begins now: what came before is no part of it, but what desks show is."""
        self.events.clear()
        self._shown.clear()
        for desk, text in shown.items():
            self.shown(desk, text)

    def add(self, kind: Kind, text: str, desk: str | None = None, *, line: int = 0) -> None:
        """Something happens now."""
        self.events.append(Event(self._now(), desk, kind, text, line=line))

    def lasted(self, kind: Kind, text: str, since: float, desk: str | None = None) -> None:
        """Something has ended now that began then."""
        self.events.append(Event(since, desk, kind, text, self._now()))

    def lived(self, desk: str, why: str) -> None:
        """A desk's unit begins or ends to run now: its power is on or cut, or it resets."""
        self.lives.setdefault(desk, []).append((self._now(), why))
        if why == "cut":
            self.shown(desk, "")
        elif why != "on":
            self.add("fault", f"restarts ({why})", desk)

    def shown(self, desk: str, text: str, at: float | None = None) -> None:
        """A desk's display says this from `at` on, or now; the same again is nothing new."""
        if self._shown.get(desk) != text:
            self._shown[desk] = text
            self.events.append(Event(self._now() if at is None else at, desk, "shown", text))


class Failure(msgspec.Struct, frozen=True):
    """An expectation that was not met, or an action that could not be done."""

    line: int
    expected: str
    seen: str


Outcome = Literal["passed", "failed", "broken", "skipped"]
"""`broken`: the world fell down, which says nothing about the story."""


class Facts(msgspec.Struct, frozen=True):
    """What is stored at the end of a story: how many facts, and one figure for all of them.

    `digest` is the SHA-256 of the facts as they came over the wire, of all rows and of the ledger:
    the same for the same story and seed, whatever the machine does.
    """

    count: int
    digest: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a scenario."""

    file: str
    title: str
    about: str
    requirements: list[str]
    seed: int
    outcome: Outcome
    seconds: float
    failures: list[Failure]
    desks: list[str]
    events: list[Event]
    replay: str
    told: float = 0.0
    """Seconds that the story lasted for those in it."""
    facts: Facts | None = None
    """In virtual time only."""
    why_skipped: str = ""
