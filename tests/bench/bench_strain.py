"""The relay under strain: its delay at a steady load, a flood, a second worker, a long run.

`CHEQUER_BENCH_FACTS` sets the length of the run that looks at memory (1,000,000).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from host_bridge.relay import Relay
from host_bridge.settings import Broker, Settings
from host_bridge.store import Batch, Outcome, Store
from host_bridge.transport.receiver import Receiver
from tests.bench.relaying import UNITS, load, on_brokers, run, stored
from tests.bench.row import Row, percentile
from tests.host_bridge.host_process import Host

FACTS = 20_000
STEADY = 15_000
LONG = int(os.environ.get("CHEQUER_BENCH_FACTS", "1000000"))
HOSTILE_RATE = 10_000


def rows() -> Iterator[Row]:
    """The delay, a flood, two workers, memory."""
    yield from on_brokers([_delay, _flood, _workers, _memory])


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
        sending = load(port, "--facts", STEADY, "--units", UNITS, "--boot", 21, "--rate", 1_000)
        assert sending.wait(60) == 0
        stored(store, STEADY)

    run(relay, until)
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
        sending = load(port, *words)
        stored(store, FACTS * (boot - 30))
        took.append(time.monotonic() - began)
        assert sending.wait(60) == 0

    def until() -> None:
        time.sleep(1)
        print(f"  {FACTS:,} good facts, alone, then in a flood", flush=True)
        good(31)
        flood = load(port, "--hostile", "--facts", HOSTILE_RATE * 20, "--rate", HOSTILE_RATE)
        time.sleep(1)
        good(32)
        flood.terminate()
        flood.wait(10)

    run(relay, until)
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
            sending = load(port, *words)
            stored(store, FACTS)
            took[count] = time.monotonic() - began
            assert sending.wait(60) == 0
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
            assert load(port, *words).wait(600) == 0
            stored(store, LONG // 10 * part, 600)
            sizes.append(process.memory_info().rss / 2**20)
        took = time.monotonic() - began
        store.close()
    yield Row(name="long run, load included", value=LONG / took, unit="facts/s")
    yield Row(name="relay's memory after the long run", value=sizes[-1], unit="MiB")
    yield Row(
        name="relay's memory: end to a tenth", value=sizes[-1] / sizes[0], unit="", limit=1.25
    )
