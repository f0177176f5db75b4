"""The real relay and the real director in virtual time, on a real SQLite file."""

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path

from host_bridge import faultpoint
from host_bridge.director import Director
from host_bridge.relay.relay import Pause, Relay
from host_bridge.settings import Settings, load
from host_bridge.store import Batch, Outcome, Store, sqlite
from host_bridge.web import ledger
from host_bridge.web.models import Room
from sim.scenario.database import Database
from sim.scenario.engine import Part
from sim.scenario.errors import StoryError
from sim.scenario.real_host import PageRooms
from sim.scenario.site import unit_of
from sim.virtual.broker import Broker
from sim.virtual.conductor import EPOCH_US, Conductor, Planned
from sim.virtual.transport import Connector

_POLL_US = 20_000
_CONNECT_S = 60.0


class _Died(BaseException):
    """A process has ended at a fault point: nothing of it may catch this."""


class HostClock:
    """The conductor's time as the host's clock."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self.ahead_ms = 0
        """How far it has jumped."""

    def seconds(self) -> float:
        """Seconds since the site began."""
        return self._conductor.now / 1e6

    def unix_ms(self) -> int:
        """Unix milliseconds."""
        return self._conductor.unix_ms() + self.ahead_ms


class _Store(Store):
    """A store that says when something was committed, so that nobody has to ask all the time."""

    committed: Callable[[], None]

    def commit(self, batch: Batch) -> Outcome:
        outcome = super().commit(batch)
        self.committed()
        return outcome


class _Followed(Store):
    """A store that is told of commits in place of asking for them: heartbeats are none."""

    commits = 0

    def changed(self) -> object:
        return self.commits


class _Relay:
    """A relay's process."""

    def __init__(  # noqa: PLR0917 (its parts)
        self,
        conductor: Conductor,
        broker: Broker,
        settings: Settings,
        clock: HostClock,
        committed: Callable[[], None],
        dies_at: str,
    ) -> None:
        self._conductor = conductor
        self._connect = Connector(conductor, broker, self._awake)
        self._store = _Store.open(settings.store.url)
        self._store.committed = committed
        self._relay = Relay(settings, self._store, clock=clock, connect=self._connect)
        self._work: Generator[Pause, None, int] | None = self._relay.work()
        self._planned: Planned | None = None
        self._for_messages = True
        faultpoint.arm(dies_at, _die)
        self._relay.open()
        self._go_on()

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._work is not None

    @property
    def works(self) -> bool:
        """Whether both lanes are connected: what comes now is heard."""
        return all(connection.connected for connection in self._connect.made)

    def end(self) -> None:
        """Ask it to finish what it has in hand."""
        self._relay.stop()
        if self._work:
            self._plan(0)

    def kill(self) -> None:
        """End it at once."""
        if self._work is None:
            return
        self._work = None
        if self._planned:
            self._planned.cancel()
        for connection in self._connect.made:
            connection.die()
        self._store.close()

    def _awake(self) -> None:
        if self._work and self._for_messages:
            self._plan(0)

    def _plan(self, delay: int) -> None:
        if self._planned:
            self._planned.cancel()
        self._planned = self._conductor.after(delay, self._go_on)

    def _go_on(self) -> None:
        if self._work is None:
            return
        self._for_messages = False  # what comes in while it works is seen by itself
        try:
            pause = next(self._work)
        except StopIteration:
            self._relay.close()
            self.kill()
        except _Died:
            self.kill()
        else:
            self._for_messages = pause.for_messages
            self._plan(round(pause.seconds * 1e6) + 1)


class _Director:
    """The director's process; the page is read past HTTP."""

    def __init__(
        self, conductor: Conductor, broker: Broker, settings: Settings, clock: HostClock
    ) -> None:
        self._conductor = conductor
        self._clock = clock
        self._connect = Connector(conductor, broker, self.look)
        self.store = _Followed.open(settings.store.url)
        self.director = Director(
            settings, self.store, clock=clock, connect=self._connect, alone=True
        )
        self.runs = True
        self._began = conductor.now
        self._planned: Planned | None = None
        self.director.link.start()
        self._step()

    def kill(self) -> None:
        """End it."""
        if self.runs:
            self.runs = False
            if self._planned:
                self._planned.cancel()
            for connection in self._connect.made:
                connection.die()
            self.store.close()

    def committed(self) -> None:
        """The relay has committed something."""
        self.store.commits += 1
        self.look()

    def look(self) -> None:
        """Something is new: the director sees it when it looks the next time."""
        if self.runs:
            self._plan(self._conductor.now + 1)

    def _plan(self, at: int) -> None:
        """Look at the first poll of the real director's that is not before this time."""
        due = self._began - (self._began - at) // _POLL_US * _POLL_US
        if self._planned and self._planned.work and self._planned.at <= due:
            return
        if self._planned:
            self._planned.cancel()
        self._planned = self._conductor.at(due, self._step)

    def _step(self) -> None:
        self._planned = None
        rest = self.director.step()
        # Before its next look at the clock nothing happens by itself, unless somebody calls `look`.
        due = (self.director.look_due_ms - self._clock.ahead_ms) * 1000 - EPOCH_US
        self._plan(due if rest < 1 else self._conductor.now + round(rest * 1e6))


class VirtualHost:
    """As `sim.scenario.real_host.RealHost`.

    Args:
        conductor: whose time it is.
        broker: the site's.
        folder: for the database.
        config: the settings, written already.
        database: the SQLite file that they name.
    """

    def __init__(
        self, conductor: Conductor, broker: Broker, folder: Path, config: Path, database: Path
    ) -> None:
        # A lock that another holds won't go away while we wait in real time.
        sqlite.BUSY_TIMEOUT_MS = 0
        self._conductor = conductor
        self._clock = HostClock(conductor)
        self._broker = broker
        self._folder = folder
        self._settings = load(config)
        self._database = Database(database)
        self._relay: _Relay | None = None
        self._director: _Director | None = None

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
            self._director = _Director(self._conductor, self._broker, self._settings, self._clock)
            return
        self._relay = relay = _Relay(
            self._conductor, self._broker, self._settings, self._clock, self._committed, dies_at
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
        self._clock.ahead_ms += round(seconds * 1000)
        if self._director:
            self._director.look()

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
        read = ledger.read(page.store, self._settings.site.name, self._clock.unix_ms())
        return sum(gap.missing for gap in read.gaps if gap.unit == unit_of(desk))

    def traces(self, needles: list[bytes]) -> list[str]:
        """Files of the host in which one of these occurs."""
        files = [file for file in self._folder.iterdir() if file.suffix in {".log", ".csv"}]
        files += (self._folder / "var").glob("*")
        contents = {file.name: file.read_bytes() for file in files}
        return sorted(n for n, c in contents.items() if any(needle in c for needle in needles))

    def _page(self) -> _Director:
        if self._director is None or not self._director.runs:
            raise StoryError("the page can't be read: the director does not run")
        return self._director

    def _runs(self, part: Part) -> bool:
        process = self._relay if part == "relay" else self._director
        return process is not None and process.runs

    def _committed(self) -> None:
        if self._director:
            self._director.committed()


def _die() -> None:
    raise _Died
