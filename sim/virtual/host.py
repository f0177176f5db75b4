"""The real relay and the real director in virtual time, on a real SQLite file."""

import asyncio
import re
import sqlite3
from pathlib import Path

from host_bridge import faultpoint
from host_bridge.settings import load
from host_bridge.store import Store
from host_bridge.web import ledger
from host_bridge.web.models import Room
from sim.scenario.database import Database
from sim.scenario.engine import Part
from sim.scenario.errors import StoryError
from sim.scenario.real_host import PageRooms
from sim.scenario.site import unit_of
from sim.virtual.broker import Broker
from sim.virtual.conductor import Conductor
from sim.virtual.processes import DirectorProcess, HostClock, RelayProcess

_CONNECT_S = 60.0
_HELD_S = 0.9


class VirtualHost:
    """As `sim.scenario.real_host.RealHost`.

    Args:
        conductor: whose time it is.
        broker: the site's.
        folder: for the database.
        config: the settings, written already.
        database: the SQLite file that they name.
        leave_out: leave out what changes nothing: looks at the floor, heartbeats that nobody reads.
    """

    def __init__(
        self,
        conductor: Conductor,
        broker: Broker,
        folder: Path,
        config: Path,
        database: Path,
        *,
        leave_out: bool,
    ) -> None:
        self._conductor = conductor
        self._clock = HostClock(conductor)
        self._broker = broker
        self._leave_out = leave_out
        self._folder = folder
        self._settings = load(config)
        self._database = Database(database)
        self._relay: RelayProcess | None = None
        self._director: DirectorProcess | None = None

    def register(self, file: Path) -> None:
        """Hand the tags to the people; `file` is what `registry import` takes."""
        store = Store.open(self._settings.store.url)
        store.registry.import_csv(self._settings.site.name, file)
        store.close()

    async def start(self, part: Part, dies_at: str = "") -> None:
        """Start a part and wait until it works."""
        if self._runs(part):
            raise StoryError(f"the {part} is running already")
        if part == "director":
            self._director = DirectorProcess(
                self._conductor,
                self._broker,
                self._settings,
                self._clock,
                leave_out=self._leave_out,
            )
            return
        self._relay = relay = RelayProcess(
            self._conductor,
            self._broker,
            self._settings,
            self._clock,
            self._committed,
            dies_at,
            leave_out=self._leave_out,
        )
        try:
            async with asyncio.timeout(_CONNECT_S):
                # Costs nothing in virtual time.
                while relay.runs and not relay.works:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StoryError(f"the relay runs, but has no broker after {_CONNECT_S:g} s") from None

    async def kill(self, part: Part) -> None:
        """End a part at once."""
        if part == "relay" and self._relay:
            self._relay.kill()
        elif part == "director" and self._director:
            self._director.kill()

    async def end(self, part: Part) -> None:
        """End a part in order."""
        if part == "relay" and self._relay:
            self._relay.end()
            while self._relay.runs:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        else:
            await self.kill(part)

    def stop(self) -> None:
        """End everything."""
        if self._relay:
            self._relay.kill()
        if self._director:
            self._director.kill()
        faultpoint.arm("")

    async def lock_database(self, seconds: float) -> None:
        """Nobody can write."""
        try:
            store = sqlite3.connect(self._database.file, isolation_level=None)
            store.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise StoryError(f"the database could not be locked: {error}") from error
        try:
            await asyncio.sleep(seconds)
        finally:
            store.rollback()
            store.close()

    async def jump_clock(self, seconds: float) -> None:
        """The host's clock jumps; what counts seconds goes on as before."""
        if self._director:
            self._director.make_up()
        self._clock.jump(seconds)
        if self._director:
            self._director.look()

    def drift(self, ppm: int) -> None:
        """From now on the host's clock is fast by so many millionths, or slow."""
        if self._director:
            self._director.make_up()
        self._clock.drift(ppm)
        if self._director:
            self._director.look()

    async def hang(self, part: str, seconds: float) -> None:
        """Let a part do nothing for a while."""
        process = self._relay if part == "relay" else self._director
        if process is None or not process.runs:
            raise StoryError(f"the {part} is not running")
        process.stop()
        await asyncio.sleep(seconds)
        process.go_on()

    async def slow_database(self, seconds: float) -> None:
        """Hold the writers' lock nine tenths of the time."""
        for _ in range(round(seconds)):
            await self.lock_database(_HELD_S)
            await asyncio.sleep(1 - _HELD_S)

    async def fill_disk(self, seconds: float) -> None:
        """Let the relay write nothing for a while."""
        relay = self._relay
        if relay is None or not relay.runs:
            raise StoryError("the relay is not running")
        relay.fill_disk(True)
        await asyncio.sleep(seconds)
        relay.fill_disk(False)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the database."""
        return self._database.rows(query, *values)

    async def rooms(self) -> PageRooms:
        """What the page shows."""
        director = self._page().director
        return PageRooms({"rooms": [Room.of(r).model_dump(mode="json") for r in director.rooms]})

    async def missing(self, desk: str) -> int:
        """How many facts the page misses of a desk."""
        page = self._page()
        if self._relay and self._relay.runs:
            self._relay.say_of_itself()
        read = ledger.read(page.store, self._settings.site.name, self._clock.unix_ms())
        return sum(gap.missing for gap in read.gaps if gap.unit == unit_of(desk))

    def traces(self, needle: re.Pattern[bytes]) -> list[str]:
        """Files of the host in which this occurs."""
        files = [file for file in self._folder.iterdir() if file.suffix in {".log", ".csv"}]
        files += (self._folder / "var").glob("*")
        return sorted(file.name for file in files if needle.search(file.read_bytes()))

    def _page(self) -> DirectorProcess:
        if self._director is None or not self._director.runs:
            raise StoryError("the page can't be read: the director does not run")
        return self._director

    def _runs(self, part: Part) -> bool:
        process = self._relay if part == "relay" else self._director
        return process is not None and process.runs

    def _committed(self) -> None:
        if self._director:
            self._director.committed()
