"""All that a story needs of the world. `sim.scenario.real` is the one in real time.

A virtual-time engine has to offer the same: stories never look at a clock, a process or a file
of their own.
"""

import re
from types import TracebackType
from typing import Literal, Protocol, Self

from sim.shown import Shown
from sim.world import RadarState

Part = Literal["relay", "director"]
"""A process of the host. The director serves the page too."""

PARTS: tuple[Part, ...] = ("relay", "director")


class Clock(Protocol):
    """Time as the desks and the host live it."""

    def now(self) -> float:
        """Seconds since the story began."""

    def unix(self) -> float:
        """The same moment as the host's clock gives it, Unix seconds."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""


class Unit(Protocol):
    """A desk's unit, and the hands of whoever is there (`sim.unit.SimUnit`)."""

    @property
    def powered(self) -> bool:
        """Whether it has power."""

    def show(self) -> Shown:
        """What a person sees now."""

    async def put(self, uid: str) -> None:
        """Lay a card on the reader."""

    async def take(self, uid: str) -> None:
        """Take it away."""

    async def press(self, ms: int = 120) -> None:
        """Press the button."""

    async def radar(self, state: RadarState, cm: int = 70) -> None:
        """Who is before the radar."""

    async def fault(self, chip: str, kind: str, after: int = 0) -> None:
        """Break a chip or mend it."""

    async def network(self, present: bool) -> None:
        """The access point goes or comes."""

    async def power_cut(self) -> None:
        """Pull the plug."""

    async def power_on(self) -> None:
        """Put it in again."""


class Broker(Protocol):
    """The MQTT broker."""

    async def start(self) -> None:
        """Start it again, on the same port."""

    async def kill(self) -> None:
        """End it at once, with all that it held."""

    async def stall(self, seconds: float) -> None:
        """Let it do nothing for a while; returns when it goes on."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Say something on it, QoS 1."""


class Rooms(Protocol):
    """What the page shows."""

    def state(self, desk: str) -> str:
        """A desk's state: free, taken, offline ..."""

    def people(self, room: str) -> int:
        """How many people a room counts."""


class Host(Protocol):
    """The host's processes and what they keep."""

    async def start(self, part: Part, dies_at: str = "") -> None:
        """Start a part and wait until it works; with `dies_at`, it dies at that fault point."""

    async def kill(self, part: Part) -> None:
        """End a part at once, as a crash does."""

    async def end(self, part: Part) -> None:
        """End a part in order."""

    async def lock_database(self, seconds: float) -> None:
        """Nobody can write for a while; returns when they can again."""

    async def jump_clock(self, seconds: float) -> None:
        """The host's clock jumps ahead, or back; StoryError where that can't be done."""

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the database itself, past the host; nothing when there is none yet."""

    async def rooms(self) -> Rooms:
        """What the page shows now; StoryError when it can't be read."""

    async def missing(self, desk: str) -> int:
        """How many facts of a desk the host says are missing."""

    def traces(self, needle: re.Pattern[bytes]) -> list[str]:
        """Names of kept files (database, logs) in which this occurs."""


class Engine(Protocol):
    """The world of one story, from its beginning to its end."""

    clock: Clock
    units: dict[str, Unit]
    broker: Broker
    host: Host

    def acknowledged(self) -> dict[tuple[str, int, str], set[int]]:
        """Numbers of facts that units were told to forget, by (unit, boot, lane).

        Raises:
            StoryError: nobody has listened.
        """

    async def __aenter__(self) -> Self:
        """Bring everything up; the story's clock starts when every desk shows something."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything."""
