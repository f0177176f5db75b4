"""What a single fact costs the relay, by part: microseconds of processor, one part after the other.

On one thread and without a broker, so the figures depend little on what else the machine does. They
are what bounds the relay's speed: the parts in Python take turns (one interpreter), SQLite's own
part runs beside them, if a core is free. The table in docs/operations.md is made of this.
"""

import gc
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import mqtt5
import msgspec
import sqlalchemy as sa

from host_bridge.contract import topics
from host_bridge.contract.facts import Seat
from host_bridge.intake import judge
from host_bridge.relay.acks import Acks
from host_bridge.relay.hand import BATCH, Hand
from host_bridge.relay.inbox import Inbox
from host_bridge.relay.pace import GARBAGE
from host_bridge.relay.throttle import Throttle
from host_bridge.store import Outcome, Store
from host_bridge.transport.frames import Frames
from host_bridge.transport.mqtt import Message
from tests.bench.row import Row

UNITS = 1_000
COMMITS = 60
FACTS = BATCH * COMMITS
CHUNK = 2**16
AT_MS = 1_780_000_000_000


def rows() -> Iterator[Row]:
    """A row for each part; SQLite's at the beginning and at the end of a quarter of a million."""
    before = gc.get_threshold()
    gc.set_threshold(GARBAGE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            store = _Watched.open(f"sqlite:///{folder}/parts.db")
            spent = [_batch(store, number) for number in range(COMMITS)]
            store.close()
    finally:
        gc.set_threshold(*before)
    tenth = COMMITS // 10
    for part in spent[0]:
        few, many = (sum(each[part] for each in some) for some in (spent[:tenth], spent[-tenth:]))
        for words, seconds in (("few rows", few), (f"{FACTS:,} rows", many)):
            value = seconds / (BATCH * tenth) * 1e6
            yield Row(name=f"processor time of a fact: {part}, {words}", value=value, unit="us")


class _Watched(Store):
    """Notes the time within the database's own calls."""

    def commit(self, batch: Any) -> Outcome:
        """Commit; `within` has the seconds of statements and of the end, `whole` those of all."""
        self.within = Counter[str]()
        if not hasattr(self, "whole"):
            self._listen()
        began = time.thread_time()
        outcome = super().commit(batch)
        self.whole = time.thread_time() - began
        return outcome

    def _listen(self) -> None:
        began = [0.0]

        def before(*_: object) -> None:
            began[0] = time.thread_time()

        def after(*_: object) -> None:
            self.within["statements"] += time.thread_time() - began[0]

        sa.event.listen(self._engine, "before_cursor_execute", before)
        sa.event.listen(self._engine, "after_cursor_execute", after)
        end = self._engine.dialect.do_commit

        def commit(connection: Any) -> None:
            with _Clock(self.within, "end"):
                end(connection)

        self._engine.dialect.do_commit = commit  # type: ignore[method-assign]


class _Clock:
    def __init__(self, spent: Counter[str], part: str) -> None:
        self._spent, self._part = spent, part

    def __enter__(self) -> None:
        self._began = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self._spent[self._part] += time.thread_time() - self._began


def _batch(store: _Watched, number: int) -> Counter[str]:
    """A batch through all that the relay does with it; processor seconds by part."""
    data = b"".join(map(_packet, range(number * BATCH, (number + 1) * BATCH)))
    spent, frames, inbox = Counter[str](), Frames(), Inbox()
    throttle, hand, acks = Throttle(), Hand("parts"), Acks()
    with _Clock(spent, "MQTT packets read"):
        chunks = (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
        packets = [packet for chunk in chunks for packet in frames.feed(chunk)]
    with _Clock(spent, "into the inbox and out"):
        for each in packets:
            assert isinstance(each, mqtt5.PublishPacket)
            inbox.put("ordinary", _message(each))
        taken = inbox.take(BATCH, 0)
    with _Clock(spent, "checked"):
        for received in taken:
            message = received.message
            assert throttle.passes(message.topic, message.received_ms)
            hand.add(received, judge(message.topic, message.payload, message.received_ms))
    outcome = store.commit(hand.batch())
    assert outcome.stored == BATCH
    spent["commit, in Python"] = store.whole - sum(store.within.values())
    spent["commit, SQLite's statements"] = store.within["statements"]
    spent["commit, SQLite's log and file"] = store.within["end"]
    with _Clock(spent, "acknowledged to units"):
        for stream, spans in outcome.acknowledge.items():
            acks.add(stream, spans, 0.0)
        acks.take(1.0, AT_MS)
    return spent


def _packet(number: int) -> bytes:
    unit, seq = f"u{number % UNITS}", number // UNITS + 1
    fact = Seat(unit=unit, boot=1, seq=seq, up=number, age=1, occupied=seq % 2 == 1)
    return mqtt5.PublishPacket(
        topics.facts("s", unit, "ordinary"),
        msgspec.json.encode(fact),
        qos=mqtt5.QoS.AT_LEAST_ONCE,
        packet_id=number % 65_535 + 1,
    ).write()


def _message(packet: mqtt5.PublishPacket) -> Message:
    number = packet.packet_id or 0
    return Message(packet.topic, packet.payload, AT_MS, number, 1, 1, packet.retain)
