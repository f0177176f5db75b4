"""The host that the unit speaks to: broker, relay and director as child processes."""

import asyncio
import sys
from pathlib import Path

from sim.children import Child, start
from sim.crew import Crew
from sim.ports import free_port
from sim.tags import write_register

SITE, UNIT = "workbench", "desk-a1"

_START_S = 30.0
_AWAY_MINUTES = 0.25


class HostError(Exception):
    """A part of the host did not start. The message has its last lines."""


class Host:
    """A small site of three desks far from each other; the unit is the first.

    Args:
        folder: for settings, database and logs.
        broker: host and port of a broker that runs already; None starts the embedded one.
        crew: whose tags are registered.
        site_key: with which they are hashed.
    """

    def __init__(
        self, folder: Path, broker: tuple[str, int] | None, crew: Crew, site_key: bytes
    ) -> None:
        self._folder = folder
        self._own = broker is None
        self.broker = broker or ("127.0.0.1", free_port())
        self.page = free_port()
        """The port of the host's own page."""
        self._crew = crew
        self._key = site_key
        self._children: list[Child] = []

    async def start(self) -> None:
        """Start everything and return when it listens.

        Raises:
            HostError: a part ended, or does not listen in time.
        """
        config = self._folder / "chequer.toml"
        config.write_text(self._settings(), encoding="utf-8")
        register = self._folder / "tags.csv"
        write_register(register, self._crew, self._key)
        if self._own:
            await self._run("broker", config)
            await self._listening(self.broker[1])
        await self._import(register, config)
        await asyncio.gather(self._run("relay", config), self._run("serve", config))
        await self._listening(self.page)

    def ended(self) -> list[str]:
        """Parts that have ended and should not have."""
        return [child.name for child in self._children if child.code is not None]

    async def stop(self) -> None:
        """End everything, the broker last."""
        for child in reversed(self._children):
            await child.end()

    async def _run(self, name: str, config: Path) -> None:
        command = [sys.executable, "-m", "host_bridge", name, "--config", str(config)]
        child = await start(name, command, self._folder)
        self._children.insert(0 if name == "broker" else 1, child)

    async def _import(self, register: Path, config: Path) -> None:
        command = [sys.executable, "-m", "host_bridge", "registry", "import", str(register)]
        child = await start("registry", [*command, "--config", str(config)], self._folder)
        async with asyncio.timeout(_START_S):
            while child.code is None:  # noqa: ASYNC110 (a process ends)
                await asyncio.sleep(0.05)
        if child.code:
            raise HostError(f"the cards could not be registered:\n{child.last_lines()}")

    async def _listening(self, port: int) -> None:
        """Wait until somebody accepts connections there; no part may end meanwhile."""
        deadline = asyncio.get_running_loop().time() + _START_S
        while True:
            dead = next((child for child in self._children if child.code is not None), None)
            if dead or asyncio.get_running_loop().time() > deadline:
                last = "\n".join(c.last_lines() for c in ([dead] if dead else self._children))
                what = f"{dead.name} ended" if dead else f"nobody listens on port {port}"
                raise HostError(f"the host did not start: {what}. Last lines:\n{last}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    def _settings(self) -> str:
        host, port = self.broker
        database = (self._folder / "chequer.db").as_posix()
        lines = [
            "# Written by `python -m sim workbench` at every start.",
            f'[broker]\nhost = "{host}"\nport = {port}',
            f"[web]\nport = {self.page}",
            f'[store]\nurl = "sqlite:///{database}"',
            f'[site]\nname = "{SITE}"\nbadge_in = "badge-then-headset"',
            f"away_minutes = {_AWAY_MINUTES}",
            '[[site.rooms]]\nname = "Workbench"\nclearance = 1.0',
        ]
        for number, (desk, unit) in enumerate((("A1", UNIT), ("A2", "desk-a2"), ("B1", "desk-b1"))):
            lines.append(f'[[site.rooms.desks]]\nname = "{desk}"\nunit = "{unit}"')
            lines.append(f"x = {3.0 * (number % 2)}\ny = {3.0 * (number // 2)}")
        return "\n".join(lines) + "\n"
