"""A link on a bench: lanes on simulated flash, and a listener that writes down what it is told."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from desk_unit.clock import Uptime, WallClock
from desk_unit.config import Config
from desk_unit.facts import Facts
from desk_unit.journal import Journal
from desk_unit.lane import Lane
from desk_unit.link import Link
from desk_unit.wires import wire
from tests.firmware.desk import KEY, Wifi, end
from tests.firmware.host import SITE, UNIT
from tests.firmware.unit.nor import Nor


class Bench:
    """A link on its own, with a clock that runs `speed` times as fast as the wall's.

    `broker` holds further fields of that section of the configuration; `up` is the uptime at the
    start, `random` draws the jitter of the back-off (none, if it is not given).
    """

    def __init__(
        self,
        port: int,
        *,
        speed: int = 1,
        unit: str = UNIT,
        up: int = 0,
        random: Callable[[], int] = lambda: 0,
        link: str = "wifi",
        **broker: Any,
    ) -> None:
        self.unit = unit
        begin = time.monotonic_ns()
        begun: list[bool] = []
        self.uptime = Uptime(
            lambda: (time.monotonic_ns() - begin) * speed // 1_000_000 + (up if begun else 0),
            lambda end, start: end - start,
        )
        begun.append(True)
        broker = {"host": "127.0.0.1", "port": port, **broker}
        fields: dict[str, Any] = {
            "site": SITE,
            "unit": unit,
            "site_key": KEY,
            "wifi": {"ssid": "x"},
        }
        fields |= {"link": link, "sntp": "127.0.0.1"}
        config = Config(json.dumps({**fields, "broker": broker}))
        wall = WallClock(self.uptime)
        self.ordinary = self._lane("fact", "ordinary", 180)
        self.button = self._lane("button", "button", 5)
        self.facts = Facts(self.ordinary, self.button, self.uptime, wall)
        self.log: list[str] = []
        self.noted: list[tuple[Any, ...]] = []
        self.wifi = Wifi()
        self.lookup: Callable[[str, int], tuple[str, int]] = lambda name, port: (name, port)
        self.connect = asyncio.open_connection
        self.link = Link(
            config,
            (self.button, self.ordinary),
            wire=wire(config, self),
            uptime=self.uptime,
            random=random,
            listener=self,
            log=self.log.append,
        )

    async def open_serial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise OSError("no serial line")

    def resolve(self, name: str, port: int) -> tuple[str, int]:
        return self.lookup(name, port)

    def _lane(self, word: str, name: str, blocks: int) -> Lane:
        journal = Journal(Nor(blocks=blocks, size=4096))
        journal.mount()
        return Lane(word, name, journal, unit=self.unit, boot=3, uptime=self.uptime)

    def state(self) -> bytes:
        return b'{"unit":"%s","online":true}' % self.unit.encode()

    def told(self, word: str, payload: bytes) -> bool:
        """A message of a kind that this listener does not know."""
        return False

    def __getattr__(self, name: str) -> Any:
        if name not in ("heard", "sent", "stored", "verdict", "guidance", "restart"):
            raise AttributeError(name)
        return lambda *args: self.noted.append((name, *args))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Bench"]:
        task = asyncio.create_task(self.link.run())
        try:
            yield self
        finally:
            await end({task})

    def waiting(self) -> int:
        return int(self.ordinary.journal.waiting + self.button.journal.waiting)
