"""From a desk to the open page: mosquitto, relay, director and web server as real processes.

A press is never shown on the page, on purpose (`host_bridge/web/watch.py`): the floor must not tell
who has pressed. So what is measured there is a seat that is taken, which goes the same road, on the
slower lane. Of a press what is measured is what its desk waits for: the acknowledgement that makes
it *stored*. Each of them alone, and while other units send a thousand facts a second.
"""

import contextlib
import json
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from statistics import median

import httpx
import msgspec

from host_bridge.contract import topics
from host_bridge.contract.facts import Press, Seat
from host_bridge.contract.messages import Ack, State
from host_bridge.settings import Broker
from host_bridge.transport.mqtt import Connection, Message
from tests.bench.row import Row, percentile
from tests.e2e.road import SITE, Road, road_of_its_own

TIMES = 60
RATE = 1_000
LIMIT_MS = 250
DESK, UNIT = "A1", "a1"
LONGEST_S = 20.0


def rows() -> Iterator[Row]:
    """Medians and 99th percentiles, in milliseconds."""
    with road_of_its_own() as where:
        yield from _measured(where)


def _measured(where: Road) -> Iterator[Row]:
    desk = _Desk(where)
    try:
        for beside, load in (("", None), (f", beside {RATE:,} facts/s", RATE)):
            print(f"  {TIMES} seats and presses{beside}", flush=True)
            other = None if load is None else _others(where.broker.port)
            for what, act in (("seat to page", desk.sit), ("press to stored", desk.press)):
                took = _timed(act)
                for part, value in (("median", median(took)), ("99 %", percentile(took, 99))):
                    yield Row(
                        name=f"{what}{beside}, {part}", value=value, unit="ms", limit=LIMIT_MS
                    )
            if other is not None:
                other.terminate()
                other.wait(10)
    finally:
        desk.leave()


def _timed(act: Callable[[], float]) -> list[float]:
    """Milliseconds of each; at times that follow nobody's beat."""
    draw = random.Random(1)
    took = []
    for _ in range(TIMES):
        time.sleep(draw.uniform(0.05, 0.15))
        took.append(act() * 1000)
    return took


def _others(port: int) -> "subprocess.Popen[bytes]":
    """A thousand facts a second from a hundred other units, until it is ended."""
    words = ("--facts", RATE * 600, "--units", 100, "--rate", RATE)
    command = [sys.executable, "-m", "tests.bench.load", str(port), *map(str, words)]
    other = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(2)
    return other


class _Desk:
    """A desk unit as the broker sees it, and a page that looks at its desk."""

    def __init__(self, where: Road) -> None:
        self._seq = {"seat": 0, "press": 0}
        self._shown: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stored: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._connection = Connection(
            Broker(port=where.broker.port),
            "bench-desk",
            filters=[topics.down(SITE, UNIT, "ack")],
            receive=self._hear,
            clean=True,
            manual=False,
        )
        self._connection.start()
        assert self._connection.wait(10)
        state = msgspec.json.encode(State(unit=UNIT, online=True, boot=1))
        self._connection.publish(topics.state(SITE, UNIT), state, retain=True)
        self._stream = threading.Thread(target=self._look, args=(where.url,), daemon=True)
        self._stream.start()
        self._expect("free")

    def leave(self) -> None:
        """Hang up."""
        self._connection.stop()

    def sit(self) -> float:
        """Sit down or get up; the seconds until the page shows it."""
        seq = self._seq["seat"] = self._seq["seat"] + 1
        fact = Seat(unit=UNIT, boot=1, seq=seq, up=seq, age=0, occupied=seq % 2 == 1)
        began = time.perf_counter()
        self._connection.publish(topics.facts(SITE, UNIT, "ordinary"), msgspec.json.encode(fact))
        self._expect("taken" if fact.occupied else None)
        return time.perf_counter() - began

    def press(self) -> float:
        """Press the button; the seconds until the host has said that it is stored."""
        seq = self._seq["press"] = self._seq["press"] + 1
        fact = Press(unit=UNIT, boot=1, seq=seq, up=seq, age=0)
        began = time.perf_counter()
        self._connection.publish(topics.facts(SITE, UNIT, "button"), msgspec.json.encode(fact))
        while self._stored.get(timeout=LONGEST_S) < seq:
            pass
        return time.perf_counter() - began

    def _hear(self, message: Message) -> None:
        ack = msgspec.json.decode(message.payload, type=Ack)
        if ack.lane == "button":
            self._stored.put(ack.spans[-1][1])

    def _look(self, url: str) -> None:
        """Follow the page's events: the desk's states as they come."""
        with (
            contextlib.suppress(httpx.HTTPError),  # the host's end; else `_expect` will miss it
            httpx.stream("GET", f"{url}/api/v1/events", timeout=LONGEST_S) as response,
        ):
            kind = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "floor":
                    for room in json.loads(line[6:]):
                        for desk in room["desks"]:
                            if desk["name"] == DESK:
                                self._shown.put(desk["state"])

    def _expect(self, state: str | None) -> None:
        """Until the page shows this state; None: any but `taken`."""
        while True:
            shown = self._shown.get(timeout=LONGEST_S)
            if shown == state or (state is None and shown != "taken"):
                return
