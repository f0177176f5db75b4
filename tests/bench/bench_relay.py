"""The relay's whole path: receive, check, commit, acknowledge; against loops that do less.

Every ratio is of one run: the ways to be compared drain the same queue at the broker, in turns.
The load is a process of its own (`tests/bench/load.py`); what it manages by itself is a row too.
`CHEQUER_BENCH_FACTS` sets the length of the run that looks at memory (1,000,000).
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import psutil

from host_bridge.contract import topics
from host_bridge.relay import Relay
from host_bridge.settings import Broker, Settings
from host_bridge.store import Batch, Outcome, Store
from host_bridge.transport.mqtt import Connect, Connection, Message
from host_bridge.transport.receiver import Receiver
from tests.bench.row import Row, percentile
from tests.host_bridge.host_process import Host
from tests.services import Mosquitto

FACTS = 20_000
DRAINED = 60_000
"""Facts in a queue at the broker: fifteen full batches, so that the beginning weighs little."""
ROUNDS = 3
UNITS = 1_000
IN_MESSAGE = 8
"""Facts in a message of a backlog: what fits into 1,024 bytes."""
STEADY = 15_000
LONG = int(os.environ.get("CHEQUER_BENCH_FACTS", "1000000"))
HOSTILE_RATE = 10_000


def rows() -> Iterator[Row]:
    """Speeds and their ratios, the delay, memory, a flood, two workers."""
    for measure in (_speeds, _delay, _flood, _workers, _memory):
        # A broker for each: it would keep what it is sent for the sessions of the others too.
        with tempfile.TemporaryDirectory() as folder:
            broker = Mosquitto(Path(folder) / "mosquitto").start()
            try:
                yield from measure(broker.port, Path(folder))
            finally:
                broker.stop()


def _load(port: int, *words: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.bench.load", str(port), *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


class _Counted(Store):
    """Counts what it has stored: asking the ledger every moment would slow down the relay."""

    count = 0

    def commit(self, batch: Batch) -> Outcome:
        """Commit, then count."""
        outcome = super().commit(batch)
        self.count += outcome.stored
        return outcome


class _Nowhere(_Counted):
    """A store that says that it has stored: what is left is the relay without a database."""

    def commit(self, batch: Batch) -> Outcome:
        """Count, and forget."""
        self.count += len(batch.facts)
        return Outcome(stored=len(batch.facts), duplicates=0, dead_letters=0, acknowledge={})


def _speeds(port: int, folder: Path) -> Iterator[Row]:
    """Each way has its own session at the broker, and its own database where there is one."""
    broker = Broker(port=port)
    ways: dict[str, Callable[[int], float]] = {
        "bare": _bare(broker),
        "checked": _relayed(broker, _Nowhere.open(f"sqlite:///{folder}/nowhere.db"), "checked"),
        "mqtt5": _relayed(broker, _Counted.open(f"sqlite:///{folder}/mqtt5.db"), "mqtt5"),
        "paho": _relayed(broker, _Counted.open(f"sqlite:///{folder}/paho.db"), "paho", Connection),
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
"""Least ratios: what is wanted, not what is reached. The bare loop takes 4 us for a fact when the
machine is quiet, the relay's own part in Python 8 (`bench_parts.py`): 0.6 of the bare loop is out
of reach of one process in Python. The relay over paho is the same relay on the same store, so what
SQLite takes is in both."""


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
        assert _load(port, *words).wait(120) == 0
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
    broker: Broker, store: Store, name: str, connect: Connect = Receiver
) -> Callable[[int], float]:
    """A relay of its own, which is started anew for each round."""
    settings = Settings(broker=broker)
    total = [0]
    _run(Relay(settings, store, name, connect=connect), lambda: time.sleep(1))

    def drain(count: int) -> float:
        total[0] += count
        relay = Relay(settings, store, name, connect=connect)
        return _run(relay, partial(_stored, store, total[0]))

    return drain


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


def _stored(store: Store, count: int, seconds: float = 120) -> None:
    """Return when so many facts are committed."""
    deadline = time.monotonic() + seconds
    while _count(store) < count:
        assert time.monotonic() < deadline, (_count(store), count)
        time.sleep(0.01)


def _count(store: Store) -> int:
    if isinstance(store, _Counted):
        return store.count
    return sum(line.stored for line in store.ledger())


def _inserted(folder: Path) -> float:
    """Facts a second when the batches that a relay would make are only committed."""
    seen: list[Batch] = []

    class _Kept(_Nowhere):
        def commit(self, batch: Batch) -> Outcome:
            seen.append(batch)
            return super().commit(batch)

    with tempfile.TemporaryDirectory(dir=folder) as own:
        broker = Mosquitto(Path(own) / "mosquitto").start()
        kept = _Kept.open(f"sqlite:///{own}/kept.db")
        drain = _relayed(Broker(port=broker.port), kept, "kept")
        words = ("--facts", DRAINED, "--units", UNITS, "--boot", 1, "--batch", IN_MESSAGE)
        assert _load(broker.port, *words).wait(120) == 0
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


class _Timed(Store):
    """Notes how long after its sending each fact is committed, in milliseconds."""

    def commit(self, batch: Batch) -> Outcome:
        """Commit, then look at the clock."""
        outcome = super().commit(batch)
        now = time.monotonic_ns() // 1_000_000
        self.delays = [*getattr(self, "delays", []), *(now - item.fact.up for item in batch.facts)]
        return outcome


def _delay(port: int, folder: Path) -> Iterator[Row]:
    """From the sender to the commit, at a thousand single facts a second."""
    print(f"  {STEADY:,} facts, 1,000 a second", flush=True)
    store = _Timed.open(f"sqlite:///{folder}/delay.db")
    relay = Relay(Settings(broker=Broker(port=port)), store, "delay", connect=Receiver)

    def until() -> None:
        time.sleep(1)
        load = _load(port, "--facts", STEADY, "--units", UNITS, "--boot", 21, "--rate", 1_000)
        assert load.wait(60) == 0
        _stored(store, STEADY)

    _run(relay, until)
    delays = [float(each) for each in store.delays]
    alone = []
    for _ in range(200):
        began = time.perf_counter()
        # A row of the store's own is as durable as a fact, and nobody else writes now.
        Store.commit(store, Batch(worker="alone", received=0, facts=[], dead_letters=[]))
        alone.append((time.perf_counter() - began) * 1000)
        time.sleep(0.01)
    store.close()
    yield Row(name="a commit with nothing in it, 99 %", value=percentile(alone, 99), unit="ms")
    yield Row(name="sender to commit at 1,000/s, median", value=median(delays), unit="ms")
    yield Row(
        name="sender to commit at 1,000/s, 99 %",
        value=percentile(delays, 99),
        unit="ms",
        limit=50,
    )


def _flood(port: int, folder: Path) -> Iterator[Row]:
    """Good facts beside ten thousand hostile messages a second, and without."""
    store = Store.open(f"sqlite:///{folder}/flood.db")
    relay = Relay(Settings(broker=Broker(port=port)), store, "flood", connect=Receiver)
    took: list[float] = []

    def good(boot: int) -> None:
        began = time.monotonic()
        words = ("--facts", FACTS, "--units", UNITS, "--boot", boot)
        load = _load(port, *words)
        _stored(store, FACTS * (boot - 30))
        took.append(time.monotonic() - began)
        assert load.wait(60) == 0

    def until() -> None:
        time.sleep(1)
        print(f"  {FACTS:,} good facts, alone, then in a flood", flush=True)
        good(31)
        flood = _load(port, "--hostile", "--facts", HOSTILE_RATE * 20, "--rate", HOSTILE_RATE)
        time.sleep(1)
        good(32)
        flood.terminate()
        flood.wait(10)

    _run(relay, until)
    differences = [line.difference for line in store.ledger()]
    store.close()
    assert differences == [0], differences
    alone, flooded = took
    yield Row(
        name=f"good facts beside {HOSTILE_RATE:,} hostile/s", value=FACTS / flooded, unit="/s"
    )
    yield Row(
        name="good facts in a flood take longer", value=flooded / alone, unit="times", limit=2
    )


def _workers(port: int, folder: Path) -> Iterator[Row]:
    """Relays as processes that share a subscription: one, then two."""
    took = {}
    for count in (1, 2):
        print(f"  {FACTS:,} facts, {count} worker(s)", flush=True)
        own = folder / f"workers-{count}"
        own.mkdir()
        with Host(own, port) as host:
            Store.open(host.url).close()
            share = f"bench{count}"
            for number in range(count):
                host.start("relay", "--name", f"w{count}{number}", "--share", share)
            host.wait_for_log("connected to the broker", times=2 * count)
            store = Store.open(host.url)
            began = time.monotonic()
            words = ("--facts", FACTS, "--units", UNITS, "--boot", 40 + count)
            load = _load(port, *words)
            _stored(store, FACTS)
            took[count] = time.monotonic() - began
            assert load.wait(60) == 0
            store.close()
    yield Row(name="one worker, load included", value=FACTS / took[1], unit="facts/s")
    yield Row(name="two workers to one, one SQLite file", value=took[1] / took[2], unit="")


def _memory(port: int, folder: Path) -> Iterator[Row]:
    """A relay's process after a tenth of a long run, and at its end."""
    print(f"  {LONG:,} facts through one process", flush=True)
    own = folder / "memory"
    own.mkdir()
    with Host(own, port) as host:
        Store.open(host.url).close()
        process = psutil.Process(host.start("relay", "--name", "long").pid)
        host.wait_for_log("connected to the broker", times=2)
        store, sizes = Store.open(host.url), []
        began = time.monotonic()
        for part in range(1, 11):
            words = ("--facts", LONG // 10, "--units", UNITS, "--boot", 50 + part)
            assert _load(port, *words).wait(600) == 0
            _stored(store, LONG // 10 * part, 600)
            sizes.append(process.memory_info().rss / 2**20)
        took = time.monotonic() - began
        store.close()
    yield Row(name="long run, load included", value=LONG / took, unit="facts/s")
    yield Row(name="relay's memory after the long run", value=sizes[-1], unit="MiB")
    yield Row(
        name="relay's memory: end to a tenth", value=sizes[-1] / sizes[0], unit="", limit=1.25
    )
