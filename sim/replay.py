"""A recording is played to a broker as its units sent it: topics, order, and time made shorter.

A real unit keeps a fact until the host has acknowledged it, and so does this: what is not
acknowledged after ten seconds is sent again, and at the end it is said what never was.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from host_bridge.contract import topics
from host_bridge.contract.facts import MAX_TIME, MIN_TIME
from host_bridge.contract.messages import Ack, State
from host_bridge.contract.recording import Entry, Head, read

AGAIN_S = 10.0
"""After so long without an acknowledgement a unit sends again (docs/protocol.md)."""
PATIENCE_S = 30.0
"""At the end, how long the host may be silent before it is given up."""
_WINDOW = 1_000
"""Facts on their way at most, over all units."""
_CONNECT_S = 10.0
_LOOK_S = 0.05

_Stream = tuple[str, str, int, str]
_ack = msgspec.json.Decoder(Ack).decode
_encode = msgspec.json.Encoder().encode


class ReplayError(Exception):
    """It can't be played, or not to its end. The message says what was done."""


class Totals(msgspec.Struct, frozen=True):
    """What a recording holds; times in Unix milliseconds, by arrival."""

    facts: int
    units: int
    first: int
    last: int


class _Sent(msgspec.Struct):
    topic: str
    payload: bytes
    at: float


def look(file: Path) -> Totals:
    """Read a recording from beginning to end before anything is played.

    Raises:
        RecordingError: it is none, or not a whole one.
    """
    facts, units, first, last = 0, set(), MAX_TIME, MIN_TIME
    for entry in _entries(file):
        facts += 1
        units.add((entry.site, entry.fact.unit))
        first, last = min(first, entry.received), max(last, entry.received)
    return Totals(facts, len(units), first, last) if facts else Totals(0, 0, 0, 0)


class Replay:
    """Plays one recording.

    Args:
        broker: host and port.
        speed: how much faster than it happened.
        site: plays into this site; None for each fact's own.
    """

    def __init__(self, broker: tuple[str, int], speed: float, site: str | None = None) -> None:
        self._broker = broker
        self._speed = speed
        self._site = site
        self._waiting: dict[_Stream, dict[int, _Sent]] = {}
        self._lock = threading.Lock()
        self._heard = time.monotonic()
        self._units: set[tuple[str, str]] = set()
        self._up = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="chequer-replay")
        self._client.max_inflight_messages_set(_WINDOW)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def play(self, file: Path, told: Callable[[int], None]) -> None:
        """Play to the end; `told` is called with the number of facts sent so far.

        Raises:
            RecordingError: the file has changed since it was looked at.
            ReplayError: no broker answers, or the host has not acknowledged everything.
        """
        self._connect()
        try:
            self._send_all(file, told)
            self._settle()
            for site, unit in sorted(self._units):
                self._say(site, State(unit=unit, online=False)).wait_for_publish(_CONNECT_S)
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def unacknowledged(self) -> int:
        """Facts that were sent and that no host has acknowledged yet."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def _connect(self) -> None:
        host, port = self._broker
        try:
            self._client.connect(host, port)
        except (OSError, ValueError) as error:
            raise ReplayError(f"no broker at {host}:{port}: {error}; nothing was sent") from error
        self._client.loop_start()
        if not self._up.wait(_CONNECT_S):
            self._client.loop_stop()
            raise ReplayError(f"the broker at {host}:{port} does not answer; nothing was sent")

    def _send_all(self, file: Path, told: Callable[[int], None]) -> None:
        began, first = time.monotonic(), None
        for number, entry in enumerate(_entries(file), 1):
            # By arrival times as they were: a host's clock that was set back makes no wait.
            first = entry.received if first is None else min(first, entry.received)
            due = began + (entry.received - first) / 1000 / self._speed
            while (left := due - time.monotonic()) > 0 or self.unacknowledged() >= _WINDOW:
                time.sleep(min(max(left, 0.005), _LOOK_S))
                self._again()
                if left <= 0:
                    self._check()
            self._send(entry)
            told(number)

    def _send(self, entry: Entry) -> None:
        site = self._site or entry.site
        fact, now_ms = entry.fact, time.time_ns() // 1_000_000
        if fact.at is not None:  # the unit's clock is as far from the host's as it was
            at = min(MAX_TIME, max(MIN_TIME, fact.at + now_ms - entry.received))
            fact = msgspec.structs.replace(fact, at=at)
        if (site, fact.unit) not in self._units:
            self._units.add((site, fact.unit))
            self._say(site, State(unit=fact.unit, online=True, boot=fact.boot))
        sent = _Sent(topics.facts(site, fact.unit, entry.lane), _encode(fact), time.monotonic())
        with self._lock:
            stream = (site, fact.unit, fact.boot, entry.lane)
            self._waiting.setdefault(stream, {})[fact.seq] = sent
            self._heard = max(self._heard, sent.at)
        self._client.publish(sent.topic, sent.payload, qos=1)

    def _say(self, site: str, state: State) -> paho.MQTTMessageInfo:
        return self._client.publish(
            topics.state(site, state.unit), _encode(state), qos=1, retain=True
        )

    def _settle(self) -> None:
        """Wait for the last acknowledgements, and send again meanwhile."""
        while self.unacknowledged():
            time.sleep(_LOOK_S)
            self._again()
            self._check()

    def _check(self) -> None:
        with self._lock:
            silent = time.monotonic() - self._heard
        if silent > PATIENCE_S:
            raise ReplayError(
                f"{self.unacknowledged()} facts were sent and no host has acknowledged them for "
                f"{PATIENCE_S:.0f} s. Nothing is lost: see that `chequer relay` runs and play the "
                "file again; what is stored already is known by its key."
            )

    def _again(self) -> None:
        now = time.monotonic()
        with self._lock:
            late = [
                sent
                for waiting in self._waiting.values()
                for sent in waiting.values()
                if now - sent.at > AGAIN_S
            ]
            for sent in late:
                sent.at = now
        for sent in late:
            self._client.publish(sent.topic, sent.payload, qos=1)

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(topics.down("+", "+", "ack"), qos=1)
        self._up.set()

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        """Forget what the host has committed. What is no acknowledgement is none of ours."""
        try:
            parsed, ack = topics.parse(message.topic), _ack(message.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if parsed is None:
            return
        with self._lock:
            waiting = self._waiting.get((parsed[0], parsed[1], ack.boot, ack.lane), {})
            done = [seq for seq in waiting if any(a <= seq <= b for a, b in ack.spans)]
            for seq in done:
                del waiting[seq]
            if done:
                self._heard = time.monotonic()


def _entries(file: Path) -> Iterator[Entry]:
    for item in read(file):
        if not isinstance(item, Head):
            yield item
