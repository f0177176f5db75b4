"""The relay's whole path: receive, check, commit, acknowledge; against loops that do less.

Every ratio is of one run: the ways to be compared drain the same queue at the broker, in turns.
The load is a process of its own (`tests/bench/load.py`); what it manages by itself is a row too.
"""

import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from host_bridge.contract import topics
from host_bridge.relay import Relay
from host_bridge.settings import Broker, Settings
from host_bridge.store import Batch, Outcome, Store
from host_bridge.transport.mqtt import Connect, Connection, Message
from host_bridge.transport.receiver import Receiver
from tests.bench.relaying import UNITS, Counted, load, on_brokers, run, stored
from tests.bench.row import Row
from tests.services import Mosquitto

DRAINED = 120_000
"""Facts in a queue at the broker: thirty full batches, so that the beginning weighs little."""
ROUNDS = 3
IN_MESSAGE = 8
"""Facts in a message of a backlog: what fits into 1,024 bytes."""


def rows() -> Iterator[Row]:
    """Speeds and their ratios."""
    yield from on_brokers([_speeds])


class _Nowhere(Counted):
    """A store that says that it has stored: what is left is the relay without a database."""

    def commit(self, batch: Batch) -> Outcome:
        """Count, and forget."""
        self.count += len(batch.facts)
        return Outcome(stored=len(batch.facts), duplicates=0, dead_letters=0, acknowledge={})


def _speeds(port: int, folder: Path) -> Iterator[Row]:
    """Each way has its own session at the broker."""
    broker = Broker(port=port)
    ways: dict[str, Callable[[int], float]] = {
        "bare": _bare(broker),
        "checked": _relayed(broker, folder, "checked", kind=_Nowhere),
        "mqtt5": _relayed(broker, folder, "mqtt5"),
        "paho": _relayed(broker, folder, "paho", Connection),
    }
    single, loads = _drained(port, ways, boots=range(1, ROUNDS + 1))
    yield Row(name="load: published into four sessions", value=median(loads), unit="facts/s")
    yield Row(name="bare receive loop, nothing checked", value=single["bare"], unit="facts/s")
    yield Row(name="relay without a store", value=single["checked"], unit="facts/s")
    yield Row(name="relay, single facts, SQLite FULL", value=single["mqtt5"], unit="facts/s")
    yield Row(name="relay over paho, single facts", value=single["paho"], unit="facts/s")
    yield _at_least("relay to bare receive loop", single["mqtt5"] / single["bare"], BARE)
    yield _at_least("relay to relay without a store", single["mqtt5"] / single["checked"], CHECKED)
    yield _at_least("relay to relay over paho", single["mqtt5"] / single["paho"], PAHO)
    batches, _ = _drained(
        port, {"mqtt5": ways["mqtt5"]}, boots=range(11, 11 + ROUNDS), batch=IN_MESSAGE
    )
    inserted = _inserted(folder)
    yield Row(name="relay, batches, SQLite FULL", value=batches["mqtt5"], unit="facts/s")
    yield Row(name="commits of the same rows, nothing else", value=inserted, unit="facts/s")
    yield _at_least("relay of batches to their commits", batches["mqtt5"] / inserted, BATCHES)


BARE, CHECKED, PAHO, BATCHES = 0.6, 0.3, 5.0, 0.6
"""Least ratios: what is wanted, not what is reached (docs/operations.md says why). The relay over
paho is the same relay on the same store, so what SQLite takes is in both."""


def _at_least(name: str, value: float, limit: float) -> Row:
    return Row(name=name, value=value, unit="", limit=limit, more_is_better=True)


def _drained(
    port: int, ways: dict[str, Callable[[int], float]], boots: range, batch: int = 1
) -> tuple[dict[str, float], list[float]]:
    """Facts a second of each way, the medians of the rounds; and of the load."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    loads = []
    for boot in boots:
        print(f"  {DRAINED:,} facts, {batch} in a message, round {boot % 10}", flush=True)
        began = time.monotonic()
        words = ("--facts", DRAINED, "--units", UNITS, "--boot", boot, "--batch", batch)
        assert load(port, *words).wait(120) == 0
        loads.append(DRAINED / (time.monotonic() - began))
        for name, way in ways.items():
            took[name].append(way(DRAINED))
    return {name: DRAINED / median(times) for name, times in took.items()}, loads


def _bare(broker: Broker) -> Callable[[int], float]:
    """Receive and acknowledge, nothing else."""
    done, left = threading.Event(), [0]

    def receive(message: Message) -> None:
        connection.acknowledge(message)
        left[0] -= 1
        if left[0] == 0:
            done.set()

    filters = [topics.facts("+", "+", "ordinary")]
    connection = Receiver(broker, "bench-bare", filters=filters, receive=receive)
    connection.start()
    assert connection.wait(10)
    connection.stop()

    def drain(count: int) -> float:
        left[0] = count
        done.clear()
        began = time.monotonic()
        connection.start()
        assert done.wait(120), left
        took = time.monotonic() - began
        connection.stop()
        return took

    return drain


def _relayed(
    broker: Broker,
    folder: Path,
    name: str,
    connect: Connect = Receiver,
    kind: type[Counted] = Counted,
) -> Callable[[int], float]:
    """A relay of its own, which is started anew, on an empty database, for each round.

    So rounds are alike; what a large database costs, `bench_store.py` measures.
    """
    settings, numbers = Settings(broker=broker), itertools.count()
    session = kind.open(f"sqlite:///{folder}/{name}.db")
    run(Relay(settings, session, name, connect=connect), lambda: time.sleep(1))
    session.close()

    def drain(count: int) -> float:
        store = kind.open(f"sqlite:///{folder}/{name}-{next(numbers)}.db")
        try:
            return run(Relay(settings, store, name, connect=connect), partial(stored, store, count))
        finally:
            store.close()

    return drain


def _inserted(folder: Path) -> float:
    """Facts a second when the batches that a relay would make are only committed."""
    seen: list[Batch] = []

    class _Kept(_Nowhere):
        def commit(self, batch: Batch) -> Outcome:
            seen.append(batch)
            return super().commit(batch)

    with tempfile.TemporaryDirectory(dir=folder) as own:
        broker = Mosquitto(Path(own) / "mosquitto").start()
        drain = _relayed(Broker(port=broker.port), Path(own), "kept", kind=_Kept)
        words = ("--facts", DRAINED, "--units", UNITS, "--boot", 1, "--batch", IN_MESSAGE)
        assert load(broker.port, *words).wait(120) == 0
        drain(DRAINED)
        broker.stop()
        times = []
        for number in range(ROUNDS):
            store = Store.open(f"sqlite:///{own}/{number}.db")
            began = time.monotonic()
            for batch in seen:
                store.commit(batch)
            times.append(time.monotonic() - began)
            store.close()
    return DRAINED / median(times)
