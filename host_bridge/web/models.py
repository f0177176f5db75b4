"""What the interface answers with. No person, tag, press or figure of one person anywhere."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from host_bridge.domain.floor import DeskView, RoomView
from host_bridge.domain.guidance import Shown
from host_bridge.web.words import WORDS

Presence = Literal["online", "offline", "silent"]
"""`silent`: it has never been heard."""


class Model(BaseModel):
    """Frozen, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Desk(Model):
    """A desk: its place in metres, its state and the word for it."""

    name: str
    unit: str
    x: float
    y: float
    state: Shown
    word: str

    @classmethod
    def of(cls, view: DeskView) -> "Desk":
        """What anybody may see of a desk."""
        return cls(
            name=view.name,
            unit=view.unit,
            x=view.x,
            y=view.y,
            state=view.shown,
            word=WORDS[view.shown].word,
        )


class Room(Model):
    """A room: how many people have a place in it now, its cap, and how many desks are how."""

    name: str
    people: int
    cap: int | None
    clearance: float
    counts: dict[Shown, int]
    desks: list[Desk]

    @classmethod
    def of(cls, view: RoomView, desks: Iterable[DeskView] | None = None) -> "Room":
        """A room with all its desks, or with those that are named."""
        counts = view.counts
        return cls(
            name=view.name,
            people=view.people,
            cap=view.cap,
            clearance=view.clearance,
            counts={state: counts[state] for state in WORDS},
            desks=[Desk.of(desk) for desk in (view.desks if desks is None else desks)],
        )


class Rooms(Model):
    """All rooms of the site."""

    site: str
    rooms: list[Room]


class Count(Model):
    """Facts since the beginning. received = stored + duplicates + dead_letters, always."""

    received: int
    stored: int
    duplicates: int
    dead_letters: int
    in_flight: int = Field(description="Received and not yet committed, a moment ago.")
    unaccounted: int = Field(description="Received, and their outcome is unknown: a defect.")

    @classmethod
    def nothing(cls) -> "Count":
        """Before anything came."""
        return cls(received=0, stored=0, duplicates=0, dead_letters=0, in_flight=0, unaccounted=0)


class Worker(Count):
    """What one relay worker has done."""

    worker: str


class Gap(Model):
    """Facts that a unit has counted and the host has never seen, of all kinds together.

    `standing`: some that were not dropped are missing for so long that they will hardly come.
    """

    unit: str
    missing: int
    dropped: int = Field(description="How many of them the unit reports to have dropped when full.")
    standing: bool
    since: datetime
    age_seconds: int


class Ledger(Model):
    """Where every fact is."""

    sum: Count
    workers: list[Worker]
    missing: int = Field(description="All gaps together.")
    dropped: int = Field(description="How many of them units report to have dropped when full.")
    gaps: list[Gap]


class Delivery(Model):
    """The ledger in short: the sum, what is missing from how many units, what of it they say."""

    sum: Count
    missing: int
    dropped: int
    units: int


class Part(Model):
    """A part of the host, whether it works, and if not what is kept and what to do."""

    part: str
    ok: bool
    what: str
    since: datetime | None = None


class Unit(Model):
    """A desk unit: where it is, whether it is there, and what is amiss with it.

    `heard` is the minute in which it last spoke of itself: to the second it could tell of a press.
    """

    unit: str
    desk: str | None = Field(description="None: no desk of the settings has it.")
    room: str | None
    state: Presence
    word: str
    firmware: str
    safe: bool = Field(description="After failed starts it only keeps its link.")
    heard: datetime | None
    faults: dict[str, str] = Field(description="Chips that do not work, each with the reason.")
    dead_letters: int
    gap: Gap | None
    amiss: bool


class Fleet(Model):
    """All desk units of the site, those with something amiss first."""

    site: str
    online: int
    amiss: int
    units: list[Unit]


class Health(Model):
    """Ready when every part is."""

    ready: bool
    parts: list[Part]


class Alive(Model):
    """The process answers."""

    alive: bool


class Problem(Model):
    """What happened, what was kept, what to do."""

    what: str
    kept: str
    do: str


def instant(ms: int) -> datetime:
    """Unix milliseconds as a moment in UTC, to the second."""
    return datetime.fromtimestamp(ms // 1000, UTC)
