"""The real host for one story: relay and director as processes, on a database of its own."""

import asyncio
import json
import re
import resource
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any

from sim.children import Child, start
from sim.scenario.database import Database
from sim.scenario.engine import Part
from sim.scenario.errors import EngineError, StoryError
from sim.scenario.real_broker import listening
from sim.scenario.site import unit_of

_UP_S = 30.0
_HELD_S = 0.9
_FULL_BYTES = 512  # less than any page of the database or of its log
_COMMANDS: dict[Part, str] = {"relay": "relay", "director": "serve"}
_CONNECTED = "connected to the broker"
_MADE: dict[str, bytes] = {}
"""Databases with nothing but a register in them, by the register."""


class PageRooms:
    """The rooms as the page's interface gives them."""

    def __init__(self, document: dict[str, Any]) -> None:
        rooms = document["rooms"]
        self._people = {room["name"]: int(room["people"]) for room in rooms}
        self._states = {
            desk["name"]: str(desk["state"]) for room in rooms for desk in room["desks"]
        }

    def state(self, desk: str) -> str:
        """A desk's state."""
        return self._states[desk]

    def people(self, room: str) -> int:
        """A room's head count."""
        return self._people[room]


class RealHost:
    """The host's processes.

    Args:
        folder: for logs.
        config: the settings, written already.
        database: the SQLite file that they name.
        web: the page's port.
    """

    def __init__(self, folder: Path, config: Path, database: Path, web: int) -> None:
        self._folder = folder
        self._config = config
        self._database = Database(database)
        self._web = web
        self._parts: dict[Part, Child] = {}
        self._starts = 0

    async def register(self, file: Path, entries: str) -> None:
        """Hand the tags to the people, in a database that is made for it.

        The host does so once for each different register; what it made is copied after that.

        Args:
            file: for `registry import`.
            entries: what is in it.

        Raises:
            EngineError: the host refused the file.
        """
        if entries not in _MADE:
            child = await self._begin("registry", "registry", "import", str(file))
            if await child.wait() != 0:
                raise EngineError(f"the tags could not be registered: {child.last_lines()}")
            _MADE[entries] = self._database.file.read_bytes()
            return
        self._database.file.parent.mkdir(parents=True, exist_ok=True)
        self._database.file.write_bytes(_MADE[entries])

    async def start(self, part: Part, dies_at: str = "") -> None:
        """Start a part and wait until it works."""
        if self._runs(part):
            raise StoryError(f"the {part} is running already")
        environment = {"CHEQUER_FAULT": dies_at} if dies_at else {}
        self._starts += 1
        name = f"{part}-{self._starts}"
        child = await self._begin(name, _COMMANDS[part], environment=environment)
        self._parts[part] = child
        if part == "director":
            await listening(child, self._web)
        else:
            await self._subscribed(child)

    async def kill(self, part: Part) -> None:
        """End a part at once."""
        if part in self._parts:
            await self._parts[part].kill()

    async def end(self, part: Part) -> None:
        """End a part in order."""
        if part in self._parts:
            await self._parts[part].end()

    async def lock_database(self, seconds: float) -> None:
        """Nobody can write."""
        await self._database.lock(seconds)

    async def jump_clock(self, _seconds: float) -> None:
        """This machine's clock is not ours to set."""
        raise StoryError("the host's clock jumps in virtual time only")

    async def command(self, *words: str) -> str:
        """What a command of the host says.

        Raises:
            StoryError: it ended with an error.
        """
        self._starts += 1
        child = await self._begin(f"command-{self._starts}", *words)
        if await child.wait() != 0:
            raise StoryError(f"chequer {' '.join(words[:2])}: {child.last_lines()}")
        return child.log()

    async def hang(self, part: str, seconds: float) -> None:
        """Stop a part's process for a while."""
        child = next((child for name, child in self._parts.items() if name == part), None)
        if child is None or child.code is not None:
            raise StoryError(f"the {part} is not running")
        child.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            child.signal(signal.SIGCONT)

    async def slow_database(self, seconds: float) -> None:
        """Hold the writers' lock nine tenths of the time."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await self._database.lock(_HELD_S)
            await asyncio.sleep(_HELD_S / 9)

    async def fill_disk(self, seconds: float) -> None:
        """Let the relay's process write no file any longer than its first bytes.

        Raises:
            StoryError: the relay is not running.
        """
        if not self._runs("relay"):
            raise StoryError("the relay is not running")
        pid = self.pid("relay")
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (_FULL_BYTES, before[1]))
        try:
            await asyncio.sleep(seconds)
        finally:
            if self._runs("relay"):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the database."""
        return self._database.rows(query, *values)

    async def rooms(self) -> PageRooms:
        """What the page shows."""
        return PageRooms(await self._get("rooms"))

    async def missing(self, desk: str) -> int:
        """How many facts the page misses of a desk."""
        gaps = (await self._get("ledger"))["gaps"]
        return sum(int(gap["missing"]) for gap in gaps if gap["unit"] == unit_of(desk))

    def pid(self, part: Part) -> int:
        """The process of a part that was started."""
        return self._parts[part].pid

    async def gaps(self) -> int:
        """How many facts the page misses of all desks."""
        return sum(int(gap["missing"]) for gap in (await self._get("ledger"))["gaps"])

    def traces(self, needle: re.Pattern[bytes]) -> list[str]:
        """Files of the host and the broker in which this occurs."""
        files = [file for file in self._folder.iterdir() if file.suffix in {".log", ".csv"}]
        files += (self._folder / "var").glob("*")
        return sorted(file.name for file in files if needle.search(file.read_bytes()))

    def ended(self) -> str:
        """The last words of parts that have ended, empty when all run."""
        gone = [child for child in self._parts.values() if child.code is not None]
        return " ".join(f"{child.name} has ended: {child.last_lines()}" for child in gone)

    async def _begin(
        self, name: str, *command: str, environment: dict[str, str] | None = None
    ) -> Child:
        words = [sys.executable, "-m", "host_bridge", *command, "--config", str(self._config)]
        if environment:
            words = ["env", *(f"{key}={value}" for key, value in environment.items()), *words]
        return await start(name, words, self._folder)

    def _runs(self, part: Part) -> bool:
        return part in self._parts and self._parts[part].code is None

    async def _subscribed(self, child: Child) -> None:
        """Both lanes of the relay are connected: what comes now is heard."""
        try:
            async with asyncio.timeout(_UP_S):
                while child.log().count(_CONNECTED) < 2:
                    if child.code is not None:
                        raise EngineError(f"{child.name} ended: {child.last_lines()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise EngineError(f"{child.name} does not connect: {child.last_lines()}") from None

    async def _get(self, what: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._fetch, what)

    def _fetch(self, what: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._web}/api/v1/{what}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except (OSError, ValueError) as error:
            raise StoryError(f"the page can't be read: {error}") from error
        return found
