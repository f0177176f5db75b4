"""The host: the relay against a receive loop that stores nothing; commits into a grown table."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from statistics import median

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from host_bridge.contract import topics
from host_bridge.contract.facts import Seat
from host_bridge.relay import Relay
from host_bridge.settings import Broker, Settings
from host_bridge.store import Batch, Incoming, Store
from host_bridge.transport.mqtt import Connection, Message
from tests.bench.row import Row
from tests.services import Mosquitto

FACTS = 10_000
ROUNDS = 3
UNITS = 100
SMALL, LARGE = 1_000, 1_000_000
BATCH = 500
COMMITS = 20


def rows() -> Iterator[Row]:
    """Facts a second with and without a store, in turns; what a commit costs at two sizes."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder) / "mosquitto").start()
        try:
            bare, relayed = _drained(broker.port, Path(folder))
        finally:
            broker.stop()
        yield Row(name="bare receive loop, nothing stored", value=bare, unit="facts/s")
        yield Row(name="relay, single facts, SQLite FULL", value=relayed, unit="facts/s")
        yield Row(
            name="relay's part of the bare loop's speed",
            value=relayed / bare,
            unit="",
            limit=0.5,
            more_is_better=True,
        )
        small, large = _commits(Path(folder))
    yield Row(name=f"commit of {BATCH} facts at {SMALL:,} rows", value=small, unit="ms")
    yield Row(name=f"commit of {BATCH} facts at {LARGE:,} rows", value=large, unit="ms")
    yield Row(name="commit: million rows to a thousand", value=large / small, unit="", limit=3)


def _drained(port: int, folder: Path) -> tuple[float, float]:
    """Facts a second from the broker's queue, bare and relayed: the medians of the rounds."""
    arrived: SimpleQueue[Message] = SimpleQueue()
    filters = [topics.facts("+", "+", "ordinary")]
    broker = Broker(port=port)
    bare = Connection(broker, "bench-bare", filters=filters, receive=arrived.put)
    store = Store.open(f"sqlite:///{folder}/relay.db")
    settings = Settings(broker=broker)
    # Both sessions are made, so that the broker queues every fact for both.
    bare.start()
    assert bare.wait(10)
    _run(Relay(settings, store, "bench"), lambda: time.sleep(1))
    bare.stop()
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(1, ROUNDS + 1):
        print(f"  round {number} of {ROUNDS}: {FACTS:,} facts", flush=True)
        _publish(port, number)
        took[0].append(_received(bare, arrived))
        took[1].append(_run(Relay(settings, store, "bench"), partial(_stored, store, number)))
    store.close()
    return FACTS / median(took[0]), FACTS / median(took[1])


def _received(bare: Connection, arrived: "SimpleQueue[Message]") -> float:
    """Seconds to take in and acknowledge what waits at the broker."""
    began = time.monotonic()
    bare.start()
    for _ in range(FACTS):
        bare.acknowledge(arrived.get(timeout=60))
    took = time.monotonic() - began
    bare.stop()
    return took


def _stored(store: Store, rounds: int) -> None:
    """Return when the facts of so many rounds are committed."""
    deadline = time.monotonic() + 60
    while sum(line.stored for line in store.ledger()) < rounds * FACTS:
        assert time.monotonic() < deadline, store.ledger()
        time.sleep(0.01)


def _run(relay: Relay, until: Callable[[], object]) -> float:
    """Let a relay work until then; the seconds that it took."""
    thread = threading.Thread(target=relay.run)
    began = time.monotonic()
    thread.start()
    try:
        until()
        return time.monotonic() - began
    finally:
        relay.stop()
        thread.join(20)


def _publish(port: int, boot: int) -> None:
    """All facts, singly, into the sessions that wait at the broker; each round is a boot."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(500)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(FACTS):
        unit, seq = f"u{number % UNITS}", number // UNITS + 1
        fact = Seat(unit=unit, boot=boot, seq=seq, up=seq, age=1, occupied=bool(seq % 2))
        topic = topics.facts("s", unit, "ordinary")
        last = client.publish(topic, msgspec.json.encode(fact), qos=1)
    last.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def _commits(folder: Path) -> tuple[float, float]:
    """Milliseconds of a commit, the median of twenty, with few rows and with many."""
    file = folder / "grown.db"
    store = Store.open(f"sqlite:///{file}")
    store.commit(_batch(0, SMALL))
    small = median(_timed(store, number) for number in range(1, COMMITS + 1))
    store.close()
    print(f"  growing a table to {LARGE:,} rows", flush=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO facts"
            " (site, unit, boot, lane, seq, type, time_ms, sure, received_ms, body)"
            " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " SELECT site, 'v' || (i % 500), boot, lane, i / 500,"
            " type, time_ms, sure, received_ms, body FROM n, (SELECT * FROM facts LIMIT 1)",
            (LARGE,),
        )
    store = Store.open(f"sqlite:///{file}")
    _timed(store, COMMITS + 1)  # its pages are read for the first time
    large = median(_timed(store, COMMITS + 1 + number) for number in range(1, COMMITS + 1))
    store.close()
    return small, large


def _timed(store: Store, number: int) -> float:
    batch = _batch(number, BATCH)
    began = time.perf_counter()
    outcome = store.commit(batch)
    took = time.perf_counter() - began
    assert outcome.stored == BATCH, outcome
    return took * 1000


def _batch(number: int, count: int) -> Batch:
    """So many facts of fifty units; another `number` gives other facts."""
    facts = [
        Incoming(
            site="s",
            lane="ordinary",
            fact=Seat(unit=f"u{i % 50}", boot=number + 1, seq=i // 50 + 1, up=i, occupied=True),
            time_ms=1_780_000_000_000 + i,
            sure="age",
            received_ms=1_780_000_000_000 + i,
            topic="chequer/v1/s/u/fact",
        )
        for i in range(count)
    ]
    return Batch(worker="bench", received=count, facts=facts, dead_letters=[])
