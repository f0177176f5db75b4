"""A test's stand-in for desk units: sends facts, waits for acknowledgements, sends again.

It keeps to docs/protocol.md, "Acknowledgement, end to end", except that it loses patience sooner.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from host_bridge.contract import topics
from host_bridge.contract.facts import AnyFact, Boot, Lane, Press, Seat
from host_bridge.contract.messages import Ack

WINDOW = 8
RESEND_S = 1.5

Row = tuple[str, int, Lane, int]


def fact_of(unit: str, boot: int, lane: Lane, seq: int) -> AnyFact:
    """The fact that a unit of this test sends under a number."""
    if lane == "button":
        return Press(unit=unit, boot=boot, seq=seq, up=seq * 10)
    if seq == 1:
        return Boot(unit=unit, boot=boot, seq=1, up=1, cause="power", firmware="test")
    return Seat(unit=unit, boot=boot, seq=seq, up=seq * 10, occupied=bool(seq % 2))


@dataclass
class _Journal:
    """One lane of one unit: the facts that the host has not acknowledged."""

    unit: str
    boot: int
    lane: Lane
    total: int
    unsent: deque[int] = field(default_factory=deque)
    oldest: int = 1
    sent_at: dict[int, float] = field(default_factory=dict)
    in_window: int = 0

    def trim(self, spans: list[tuple[int, int]]) -> None:
        """Forget the oldest facts as long as they lie within a span."""
        while any(first <= self.oldest <= last for first, last in spans):
            self.sent_at.pop(self.oldest, None)
            self.oldest += 1

    def ripe(self, before: float) -> list[int]:
        """What was sent before that moment and is not acknowledged."""
        return [seq for seq, at in self.sent_at.items() if at < before]


class Units:
    """Some units on one connection.

    `rate` is facts per second of all of them together, and
    `patience` is how many seconds they wait for an acknowledgement before they send again.
    """

    def __init__(
        self,
        port: int,
        *,
        site: str = "s",
        count: int = 10,
        ordinary: int = 40,
        button: int = 10,
        rate: float = 1_000,
        patience: float = RESEND_S,
    ) -> None:
        self._site = site
        self._rate = rate
        self._patience = patience
        lanes: list[tuple[Lane, int]] = [("ordinary", ordinary), ("button", button)]
        self._journals = {
            (f"u{number}", lane): _Journal(f"u{number}", 1, lane, total)
            for number in range(count)
            for lane, total in lanes
        }
        for journal in self._journals.values():
            journal.unsent.extend(range(1, journal.total + 1))
        self.sent = 0
        self._lock = threading.Lock()
        self._window: dict[int, _Journal] = {}
        self._stop = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"units-{site}")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", port)
        self._thread = threading.Thread(target=self._pump, daemon=True)

    def __enter__(self) -> "Units":
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def rows(self) -> set[Row]:
        """Every fact that there is to be stored."""
        return {
            (journal.unit, journal.boot, journal.lane, seq)
            for journal in self._journals.values()
            for seq in range(1, journal.total + 1)
        }

    def left(self) -> int:
        """Facts that the host has not acknowledged."""
        with self._lock:
            return sum(j.total - j.oldest + 1 for j in self._journals.values())

    def wait(self, seconds: float, left: int = 0) -> None:
        """Return when at most `left` facts are not acknowledged."""
        deadline = time.monotonic() + seconds
        while self.left() > left:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.left()} facts unacknowledged after {seconds} s")
            time.sleep(0.02)

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(topics.down(self._site, "+", "ack"), qos=1)
        with self._lock:
            for journal in self._journals.values():
                journal.in_window = 0
                journal.sent_at = dict.fromkeys(journal.sent_at, -1e9)
            self._window.clear()

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, *_: Any) -> None:
        with self._lock:
            if journal := self._window.pop(mid, None):
                journal.in_window -= 1

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        ack = msgspec.json.decode(message.payload, type=Ack)
        parts = topics.parse(message.topic)
        assert parts is not None
        with self._lock:
            journal = self._journals[parts[1], ack.lane]
            if ack.boot == journal.boot:
                journal.trim(ack.spans)

    def _pump(self) -> None:
        credit, before = 0.0, time.monotonic()
        while not self._stop.wait(0.01):
            now = time.monotonic()
            credit, before = min(credit + (now - before) * self._rate, 200.0), now
            if not self._client.is_connected():
                continue
            for journal in self._journals.values():
                while credit >= 1 and (seq := self._next(journal, now)):
                    self._send(journal, seq, now)
                    credit -= 1

    def _next(self, journal: _Journal, now: float) -> int | None:
        with self._lock:
            if journal.in_window >= WINDOW:
                return None
            if ripe := journal.ripe(now - self._patience):
                return ripe[0]
            return journal.unsent.popleft() if journal.unsent else None

    def _send(self, journal: _Journal, seq: int, now: float) -> None:
        fact = fact_of(journal.unit, journal.boot, journal.lane, seq)
        aged = msgspec.structs.replace(fact, age=int(now * 1000) % 1000)
        topic = topics.facts(self._site, journal.unit, journal.lane)
        with self._lock:
            journal.in_window += 1
            if seq >= journal.oldest:
                journal.sent_at[seq] = now
        sent = self._client.publish(topic, msgspec.json.encode(aged), qos=1)
        self.sent += 1
        with self._lock:
            # Without a connection it waits within the client, and to ask whether it is published
            # would raise, which is the end of this thread.
            if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS and sent.is_published():
                journal.in_window -= 1
            else:
                self._window[sent.mid] = journal
