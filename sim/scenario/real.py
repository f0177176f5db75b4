"""The engine in real time: real VMs, a real broker, a real host, all on this machine."""

import asyncio
import contextlib
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.audience import Event
from sim.ports import free_port
from sim.scenario.engine import PARTS, Broker, Clock, Host, Unit
from sim.scenario.errors import EngineError, StoryError
from sim.scenario.real_broker import RealBroker
from sim.scenario.real_host import RealHost
from sim.scenario.record import Record
from sim.scenario.site import SITE, settings, unit_of
from sim.scenario.story import Scenario
from sim.unit import SimUnit
from sim.vm import VmError

_LOOK_S = 30.0


class RealClock:
    """This machine's clock."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def begin(self) -> None:
        """The story begins now."""
        self._began = time.monotonic()

    def now(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._began

    def unix(self) -> float:
        """Unix seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(max(0.0, seconds))


class RealEngine:
    """Everything for one story, in a folder of its own.

    Args:
        scenario: whose site it is.
        folder: empty; logs, database and the units' flash stay in it.
        record: is told what displays say.
    """

    def __init__(self, scenario: Scenario, folder: Path, clock: RealClock, record: Record) -> None:
        self._scenario = scenario
        self._folder = folder
        self._record = record
        self._time = clock
        config, database = folder / "chequer.toml", folder / "var" / "chequer.db"
        web = free_port()
        self._broker = RealBroker(folder, config)
        self._host = RealHost(folder, config, database, web)
        config.write_text(settings(scenario.site, self._broker.port, web, database))
        (folder / "tags.csv").write_text(scenario.cards.register())
        self._units = {
            desk: SimUnit(
                folder=folder / "units" / unit_of(desk),
                broker=("127.0.0.1", self._broker.port),
                site=SITE,
                unit=unit_of(desk),
                site_key=scenario.cards.key,
                parts=scenario.site.parts[desk],
            )
            for desk in scenario.site.desks
        }
        self._watching: list[asyncio.Task[None]] = []
        self._stack = contextlib.ExitStack()
        self.clock: Clock = clock
        self.broker: Broker = self._broker
        self.host: Host = self._host
        self.units: dict[str, Unit] = dict(self._units)

    def acknowledged(self) -> dict[tuple[str, int, str], set[int]]:
        """Nobody listens here."""
        raise StoryError("acknowledgements are heard in virtual time only")

    async def __aenter__(self) -> Self:
        """Bring everything up, then let the story begin."""
        try:
            # The register first and alone: two processes that make a database at the same moment
            # may find it locked.
            register = self._folder / "tags.csv", self._scenario.cards.register()
            await asyncio.gather(self._broker.start(), self._host.register(*register))
            await asyncio.gather(*(self._host.start(part) for part in PARTS))
            self._watch()
            # Last, when the relay has long subscribed: what a unit sends before anybody listens
            # is not lost, but comes again only after ten seconds.
            await asyncio.gather(*(unit.start() for unit in self._units.values()))
            await self._guided()
        except (VmError, StoryError, OSError) as error:
            await self._end()
            raise EngineError(str(error)) from error
        except BaseException:
            await self._end()
            raise
        self._time.begin()
        self._record.begin({d: " ".join(u.show().display) for d, u in self._units.items()})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything, units first."""
        await self._end()

    async def _end(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._stack.close()
        await asyncio.gather(*(unit.stop() for unit in self._units.values()))
        await asyncio.gather(*(self._host.end(part) for part in PARTS))
        await self._broker.end()

    async def _guided(self) -> None:
        """Wait until each desk knows whether it may be used, and the host has heard of it.

        A display may show the guidance that the broker kept before the host has heard a word: a
        story that began then would find the desk offline, or its first fact not yet stored.
        """
        for unit in self._units.values():
            try:
                await unit.wait_for(lambda shown: shown.display, _LOOK_S)
            except TimeoutError as error:
                why = self._host.ended() or f"its console: {unit.console()[-5:]}"
                raise EngineError(f"{error}; {why}") from error
        try:
            async with asyncio.timeout(_LOOK_S):
                while not await self._heard():  # noqa: ASYNC110 (a process makes it true)
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            why = self._host.ended() or "the page shows it as offline, or its boot is not stored"
            raise EngineError(f"the host hears nothing of a desk: {why}") from error

    async def _heard(self) -> bool:
        """Does the page show every desk, and is every boot stored?"""
        rooms = await self.host.rooms()
        if any(rooms.state(desk) == "offline" for desk in self._units):
            return False
        booted = self.host.rows("SELECT DISTINCT unit FROM facts WHERE type = 'boot'")
        return len(booted) == len(self._units)

    def _watch(self) -> None:
        for desk, unit in self._units.items():
            events = self._stack.enter_context(unit.watch())
            self._watching.append(asyncio.create_task(self._take_down(desk, events)))

    async def _take_down(self, desk: str, events: asyncio.Queue[Event]) -> None:
        """Displays and power for the record, and the console for whoever looks into the folder."""
        console = self._folder / f"unit-{unit_of(desk)}.console"
        with console.open("a", encoding="utf-8") as file:
            while True:
                event = await events.get()
                if "console" in event:
                    file.write(f"{self._time.now():9.3f} {event['console']}\n")
                elif "display" in event:
                    self._record.shown(desk, " ".join(event["display"]))
                elif "power" in event:
                    self._record.lived(desk, event["power"])
                elif "reset" in event:
                    self._record.lived(desk, event["reset"])
