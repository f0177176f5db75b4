"""The engine in virtual time: real VMs and the real relay and director, one clock, no chance."""

import asyncio
import functools
import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from host_bridge.contract.messages import Ack
from sim.scenario.engine import PARTS, Broker, Clock, Host, Unit
from sim.scenario.errors import EngineError, StoryError
from sim.scenario.record import Facts, Record
from sim.scenario.site import SITE, settings, unit_of
from sim.scenario.story import Scenario
from sim.virtual.broker import REPORTS, Message
from sim.virtual.broker import Broker as Mqtt
from sim.virtual.conductor import Conductor
from sim.virtual.host import VirtualHost
from sim.virtual.toss import toss
from sim.virtual.unit import VirtualUnit
from sim.vm import VmError

_LOOK_S = 30.0
_SLOW_S = 1.0
_ACK = "/down/ack"
_ROWS = (
    "SELECT * FROM facts ORDER BY id",
    "SELECT * FROM dead_letters ORDER BY id",
    "SELECT * FROM ledger ORDER BY worker",
)


class VirtualClock:
    """The conductor's time for stories."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._began = 0

    def begin(self) -> None:
        """The story begins now."""
        self._began = self._conductor.now

    def now(self) -> float:
        """Seconds since the story began."""
        return self.of(self._conductor.now)

    def of(self, us: int) -> float:
        """The same, of microseconds since the site began."""
        return (us - self._began) / 1e6

    def unix(self) -> float:
        """Unix seconds."""
        return self._conductor.unix_us() / 1e6

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(max(0.0, seconds))


class VirtualBroker:
    """The broker as stories know it."""

    def __init__(
        self,
        conductor: Conductor,
        calm: Callable[[bool], None],
        runs: Callable[[bool], None],
        seed: int,
    ) -> None:
        self.mqtt = Mqtt(conductor)
        self._calm = calm
        self._runs = runs
        self._bad = 0
        self._dice = random.Random(f"broker {seed}")  # noqa: S311 (a story, no secret)

    async def start(self) -> None:
        """Start it again, knowing nothing."""
        self.mqtt.start()
        self._runs(True)

    async def kill(self) -> None:
        """End it at once."""
        self.mqtt.kill()
        self._runs(False)

    async def stall(self, seconds: float) -> None:
        """Let it do nothing for a while."""
        self._must_run()
        with self._uneasy():
            self.mqtt.stall(seconds)
            await asyncio.sleep(seconds)

    async def slow(self, seconds: float) -> None:
        """Let it work one moment in a hundred."""
        self._must_run()
        with self._uneasy():
            for _ in range(round(seconds / _SLOW_S)):
                if self.mqtt.running:
                    self.mqtt.stall(_SLOW_S * 0.99)
                await asyncio.sleep(_SLOW_S)

    async def fill(self, full: bool) -> None:
        """Start it again, with no room for what nobody takes at once, or with room."""
        await self.kill()
        self.mqtt.full = full
        await self.start()

    async def toss(self, seconds: float) -> None:
        """Deliver what units report in any order, and some of it twice, for a while."""
        self._must_run()
        toss(self.mqtt, seconds, self._dice)
        await asyncio.sleep(seconds)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Say something, QoS 1."""
        if not self.mqtt.running:
            raise StoryError("the broker did not take it: nobody listens")
        self.mqtt.publish(Message(topic, payload, 1, False))

    def _must_run(self) -> None:
        if not self.mqtt.running:
            raise StoryError("the broker is not running")

    @contextmanager
    def _uneasy(self) -> Iterator[None]:
        """Meanwhile units may miss an answer."""
        self._bad += 1
        self._calm(False)
        try:
            yield
        finally:
            self._bad -= 1
            self._calm(not self._bad)


class VirtualEngine:
    """Everything for one story, in a folder of its own.

    Args:
        conductor: whose time it is; the running event loop is on it.
        scenario: whose site it is.
        folder: empty; the database and the units' flash stay in it.
        clock: the story's.
        record: is told what displays say.
        leave_out: leave out what changes nothing (sim/virtual/on_vm/idle.py, quiet_director.py).
    """

    def __init__(
        self,
        conductor: Conductor,
        scenario: Scenario,
        folder: Path,
        clock: VirtualClock,
        record: Record,
        *,
        leave_out: bool = True,
    ) -> None:
        self._conductor = conductor
        self._scenario = scenario
        self._folder = folder
        self._record = record
        self._time = clock
        self._telling = False
        config, database = folder / "chequer.toml", folder / "var" / "chequer.db"
        config.write_text(settings(scenario.site, 1883, 8080, database))
        (folder / "tags.csv").write_text(scenario.cards.register())
        self._broker = VirtualBroker(conductor, self._calm, self._runs, scenario.seed)
        self._heard = hashlib.sha256()
        self._acknowledged: dict[tuple[str, int, str], set[int]] = {}
        self._broker.mqtt.tap = self._hear
        self._host = VirtualHost(
            conductor, self._broker.mqtt, folder, config, database, leave_out=leave_out
        )
        self._units = {
            desk: VirtualUnit(
                conductor=conductor,
                broker=self._broker.mqtt,
                folder=folder / "units" / unit_of(desk),
                site=SITE,
                unit=unit_of(desk),
                site_key=scenario.cards.key,
                seed=scenario.seed,
                rank=rank,
                parts=scenario.site.parts[desk],
                leave_out=leave_out,
                tell=functools.partial(self._tell, desk),
            )
            for rank, desk in enumerate(scenario.site.desks, 1)
        }
        self.clock: Clock = clock
        self.broker: Broker = self._broker
        self.host: Host = self._host
        self.units: dict[str, Unit] = dict(self._units)

    def acknowledged(self) -> dict[tuple[str, int, str], set[int]]:
        """Numbers of facts that units were told to forget, by (unit, boot, lane)."""
        return self._acknowledged

    def facts(self) -> Facts:
        """What is stored now, and its digest."""
        digest = self._heard.copy()
        for query in _ROWS:
            digest.update(repr(self._host.rows(query)).encode())
        ((count,),) = self._host.rows("SELECT count(*) FROM facts")
        return Facts(int(str(count)), digest.hexdigest())

    async def __aenter__(self) -> Self:
        """Bring everything up, then let the story begin."""
        try:
            self._broker.mqtt.start()
            self._host.register(self._folder / "tags.csv")
            for part in PARTS:
                await self._host.start(part)
            for unit in self._units.values():
                unit.start()
            await self._guided()
        except (VmError, StoryError, OSError) as error:
            self._end()
            raise EngineError(str(error)) from error
        except BaseException:
            self._end()
            raise
        self._time.begin()
        self._record.begin({d: " ".join(u.show().display) for d, u in self._units.items()})
        self._telling = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything, units first."""
        self._end()

    def _end(self) -> None:
        for unit in self._units.values():
            unit.stop()
        self._host.stop()

    async def _guided(self) -> None:
        """Wait until each desk knows whether it may be used."""
        for unit in self._units.values():
            try:
                async with asyncio.timeout(_LOOK_S):
                    while not unit.show().display:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
            except TimeoutError:
                raise EngineError(f"{unit.name} shows nothing: {unit.console()[-5:]}") from None

    def _calm(self, calm: bool) -> None:
        for unit in self._units.values():
            unit.calm(calm)

    def _runs(self, runs: bool) -> None:
        for unit in self._units.values():
            unit.broker(runs)

    def _hear(self, message: Message) -> None:
        if message.topic.endswith(REPORTS):
            self._heard.update(repr(message).encode())
        elif message.topic.endswith(_ACK):
            ack, unit = msgspec.json.decode(message.payload, type=Ack), message.topic.split("/")[3]
            known = self._acknowledged.setdefault((unit, ack.boot, ack.lane), set())
            for first, last in ack.spans:
                known.update(range(first, last + 1))

    def _tell(self, desk: str, at: int, what: str, value: Any) -> None:
        if what == "console":
            with (self._folder / f"unit-{unit_of(desk)}.console").open("a") as file:
                file.write(f"{self._time.now():9.3f} {value}\n")
        elif not self._telling:
            return
        elif what == "display":
            read: Callable[[], list[str]] = value
            self._record.shown(desk, " ".join(read()), self._time.of(at))
        elif what in {"power", "reset"}:
            self._record.lived(desk, value)
