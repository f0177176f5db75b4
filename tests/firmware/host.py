"""A host for tests: hears one site's units through a real broker and holds them to the contract."""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from host_bridge.contract import topics
from host_bridge.contract.facts import MAX_MESSAGE, AnyFact, Fact, Lane, lane_of
from host_bridge.contract.messages import (
    Ack,
    Guidance,
    Progress,
    State,
    Verdict,
    VerdictWord,
    Want,
)
from host_bridge.store.spans import Span, merge

SITE = "test"
UNIT = "a1"


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Host:
    """Records what a unit says; acknowledges at once when `answering`."""

    def __init__(self, port: int, *, answering: bool = True) -> None:
        self.answering = answering
        self.facts: list[Fact] = []
        self.states: list[State] = []
        self.wants: list[Want] = []
        self.progress: list[Progress] = []
        self.order: list[str] = []
        """The topics' ends, in the order in which messages came."""
        self.payloads: list[bytes] = []
        self.wrong: list[str] = []
        self.on_fact: Callable[[Fact], object] = lambda _: None
        self._had: dict[tuple[Lane, int], list[Span]] = {}
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="test-host")
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(5)

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()
        assert not self.wrong, self.wrong

    def heard_keys(self, lane: Lane = "ordinary") -> list[tuple[int, int]]:
        """(boot, seq) of all facts of a lane, in the order in which they came."""
        return [(fact.boot, fact.seq) for fact in self.facts if lane_of(fact) == lane]

    def acknowledge(self, boot: int, lane: Lane, *spans: tuple[int, int]) -> None:
        """Publish an `Ack`."""
        self.tell("ack", Ack(boot=boot, lane=lane, spans=list(spans), time=now()))

    def judge(self, fact: Fact, verdict: VerdictWord) -> None:
        """Publish a `Verdict`."""
        answer = Verdict(boot=fact.boot, seq=fact.seq, verdict=verdict, time=now())
        self.tell("verdict", answer)

    def guide(self, guidance: Guidance) -> None:
        """Publish retained guidance."""
        self.tell("guidance", guidance, retain=True)

    def tell(self, word: str, message: object, *, retain: bool = False) -> None:
        """Publish any message to the unit; bytes go as they are."""
        payload = message if isinstance(message, bytes) else msgspec.json.encode(message)
        self._client.publish(topics.down(SITE, UNIT, word), payload, qos=1, retain=retain)

    def _connected(self, *_: Any) -> None:
        self._client.subscribe([(f"{topics.PREFIX}/{SITE}/+/+", 1)])

    def _message(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        parsed = topics.parse(message.topic)
        assert parsed is not None
        self.payloads.append(message.payload)
        self.order.append(parsed[2])
        try:
            if parsed[2] == "state":
                self.states.append(msgspec.json.decode(message.payload, type=State))
            elif parsed[2] == "want":
                self.wants.append(msgspec.json.decode(message.payload, type=Want))
            elif parsed[2] == "update":
                self.progress.append(msgspec.json.decode(message.payload, type=Progress))
            else:
                self._facts(parsed[2], message.payload)
        except msgspec.MsgspecError as error:
            self.wrong.append(f"{error}: {message.payload!r}")

    def _facts(self, rest: str, payload: bytes) -> None:
        if len(payload) > MAX_MESSAGE:
            self.wrong.append(f"{len(payload)} bytes")
        if payload.startswith(b"["):
            facts = msgspec.json.decode(payload, type=list[AnyFact])
        else:
            facts = [msgspec.json.decode(payload, type=AnyFact)]
        lane = topics.lane_of(rest)
        for fact in facts:
            if lane is None or lane_of(fact) != lane:
                self.wrong.append(f"{fact} on {rest}")
            self.facts.append(fact)
            self.on_fact(fact)
        if self.answering and lane is not None:
            for boot in {fact.boot for fact in facts}:
                seqs = {fact.seq for fact in facts if fact.boot == boot}
                spans = self._had.get((lane, boot), [])
                self._had[lane, boot] = merge([*spans, *((seq, seq) for seq in seqs)])
                self.acknowledge(boot, lane, *self._had[lane, boot][:8])
