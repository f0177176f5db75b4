"""A world on paper, for tests of how stories are told: no processes, and time that only jumps.

What desks show and what is kept is written into it by the test.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.scenario.engine import Broker, Clock, Host, Part, Unit
from sim.scenario.play import Player
from sim.scenario.read import read
from sim.scenario.record import Failure, Record
from sim.shown import Shown
from sim.world import RadarState


class PaperClock:
    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def unix(self) -> float:
        return 1_800_000_000 + self._now

    async def sleep(self, seconds: float) -> None:
        """Others who sleep go on as soon as this time has come, whoever wakes first."""
        until = self._now + max(0.0, seconds)
        while self._now < until:
            self._now += min(0.01, until - self._now)
            await asyncio.sleep(0)


class PaperUnit:
    def __init__(self, clock: PaperClock, log: list[str]) -> None:
        self.powered = True
        self.says: Callable[[float], str] = lambda _: "FREE"
        self._clock = clock
        self._log = log

    def show(self) -> Shown:
        text = self.says(self._clock.now())
        ring = [(0, 40, 0)] * 8
        return Shown(powered=self.powered, ring=ring, display=[text], buzzer=0, lamp=0)

    def _did(self, what: str) -> None:
        self._log.append(f"{self._clock.now():.2f} {what}")

    async def put(self, uid: str) -> None:
        self._did("put")

    async def take(self, uid: str) -> None:
        self._did("take")

    async def press(self, ms: int = 120) -> None:
        self._did("press")
        await self._clock.sleep(ms / 1000)

    async def radar(self, state: RadarState, cm: int = 70) -> None:
        self._did(state)

    async def fault(self, chip: str, kind: str, after: int = 0) -> None:
        self._did(f"{chip} {kind} {after}")

    async def network(self, present: bool) -> None:
        self._did(f"network {present}")

    async def power_cut(self) -> None:
        self.powered = False

    async def power_on(self) -> None:
        self.powered = True


class PaperRooms:
    def state(self, desk: str) -> str:
        return "conflict"

    def people(self, room: str) -> int:
        return 0


class PaperHost:
    def __init__(self) -> None:
        self.ledger: list[tuple[object, ...]] = [("relay", 2, 2)]
        self.presses = 0
        self.stored: list[int] = []
        self.gap = 0
        self.tables: dict[str, list[tuple[object, ...]]] = {}

    async def start(self, part: Part, dies_at: str = "") -> None: ...
    async def kill(self, part: Part) -> None: ...
    async def end(self, part: Part) -> None: ...
    async def lock_database(self, seconds: float) -> None: ...
    async def jump_clock(self, seconds: float) -> None: ...

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        for table, rows in self.tables.items():
            if f"FROM {table} " in query:
                return rows
        if "SELECT seq" in query:
            return [(seq,) for seq in self.stored]
        if "count(" in query and "'press'" in query and "GROUP" not in query:
            return [(self.presses,)]
        return self.ledger if "FROM ledger" in query else []

    async def rooms(self) -> PaperRooms:
        return PaperRooms()

    async def missing(self, desk: str) -> int:
        return self.gap

    def traces(self, needle: re.Pattern[bytes]) -> list[str]:
        return []


class PaperBroker:
    async def start(self) -> None: ...
    async def kill(self) -> None: ...
    async def stall(self, seconds: float) -> None: ...
    async def publish(self, topic: str, payload: bytes) -> None: ...


class Paper:
    """A world with one desk, A1."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.time = PaperClock()
        self.a1 = PaperUnit(self.time, self.log)
        self.books = PaperHost()
        self.clock: Clock = self.time
        self.units: dict[str, Unit] = {"A1": self.a1}
        self.broker: Broker = PaperBroker()
        self.host: Host = self.books
        self.acks: dict[tuple[str, int, str], set[int]] = {}

    def acknowledged(self) -> dict[tuple[str, int, str], set[int]]:
        return self.acks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def told(
    folder: Path, steps: str, paper: Paper | None = None, seed: int = 1
) -> tuple[list[Failure], list[str], Record]:
    """Tell steps on paper: what failed, what was done at the desk, the record."""
    file = folder / "story.yaml"
    file.write_text("title: T\npeople:\n  agents: [Anna]\nsteps:\n" + steps)
    paper = paper or Paper()
    record = Record(paper.clock.now)
    failures = asyncio.run(Player(read(file, seed), paper, record).play())
    return failures, paper.log, record
