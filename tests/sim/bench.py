"""A unit to test with: its own folder, and the project's firmware or a few lines of one's own."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sim.audience import Event
from sim.parts import Parts
from sim.unit import SimUnit
from sim.vm import ROOT

SITE, UNIT, KEY = "test", "unit-1", b"sixteen bytes or so"

HEAD = "import asyncio, machine\n"


@contextlib.asynccontextmanager
async def powered(  # noqa: PLR0917
    folder: Path,
    code: str | None = None,
    port: int = 1,
    heap: str = "224k",
    parts: Parts | None = None,
    firmware: Path = ROOT / "firmware",
) -> AsyncIterator[SimUnit]:
    """A running unit; `code` takes the place of the firmware's main.py."""
    if code is not None:
        firmware = folder / "firmware"
        firmware.mkdir(parents=True, exist_ok=True)
        (firmware / "main.py").write_text(HEAD + code)
    unit = SimUnit(
        folder=folder / "unit",
        broker=("127.0.0.1", port),
        site=SITE,
        unit=UNIT,
        site_key=KEY,
        heap=heap,
        firmware=firmware,
        parts=parts,
    )
    try:
        await unit.start()
        yield unit
    finally:
        await unit.stop()


async def event(events: asyncio.Queue[Event], name: str, seconds: float = 5.0) -> Any:
    """The next event of this name."""
    async with asyncio.timeout(seconds):
        while True:
            found = await events.get()
            if name in found:
                return found[name]


async def until(true: Callable[[], bool], seconds: float = 8.0) -> None:
    """Wait until something becomes true."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 (another thread or process makes it true)
            await asyncio.sleep(0.02)


def say(folder: Path, code: str, seconds: float = 5.0) -> list[str]:
    """What this main.py prints until it says "done"."""

    async def run() -> list[str]:
        async with powered(folder, code + "\nprint('done')\n") as unit:
            await until(lambda: "done" in unit.console(), seconds)
            return unit.console()[:-1]

    return asyncio.run(run())


def go(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine."""
    asyncio.run(work())


class Ear:
    """Hears everything on a broker."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, Any]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("chequer/#", qos=1)
        self._client.on_message = self._message
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(30), "the broker does not take the subscription"

    def _message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.heard.append((message.topic, json.loads(message.payload)))

    def close(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """All facts of a type so far, in the order in which they came."""
        found = []
        for topic, body in self.heard:
            if topic.endswith(("/fact", "/button")):
                found += body if isinstance(body, list) else [body]
        return [fact for fact in found if fact["type"] == kind]

    async def fact(self, kind: str, count: int = 1, seconds: float = 8.0) -> dict[str, Any]:
        """The `count`-th fact of a type, once it is there."""
        await until(lambda: len(self.facts(kind)) >= count, seconds)
        return self.facts(kind)[count - 1]

    def acknowledge(self, fact: dict[str, Any], lane: str) -> None:
        """Tell the unit that the host has committed everything of this lane up to a fact."""
        ack = {
            "boot": fact["boot"],
            "lane": lane,
            "spans": [[1, fact["seq"]]],
            "time": 1_800_000_000_000,
        }
        self._client.publish(f"chequer/v1/{SITE}/{UNIT}/down/ack", json.dumps(ack), qos=1)
