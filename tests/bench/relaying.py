"""What benchmarks of the relay share: a broker, a load, a store that counts, a relay that runs."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from host_bridge.relay import Relay
from host_bridge.store import Batch, Outcome, Store
from tests.bench.row import Row
from tests.services import Mosquitto

UNITS = 1_000


def on_brokers(measures: Iterable[Callable[[int, Path], Iterator[Row]]]) -> Iterator[Row]:
    """The rows of each; it is handed a broker's port and a folder, both its own.

    A broker keeps what it is sent for the sessions of all.
    """
    for measure in measures:
        with tempfile.TemporaryDirectory() as folder:
            broker = Mosquitto(Path(folder) / "mosquitto").start()
            try:
                yield from measure(broker.port, Path(folder))
            finally:
                broker.stop()


def load(port: int, *words: object) -> "subprocess.Popen[bytes]":
    """Facts on their way to the broker; `tests/bench/load.py` has the words."""
    command = [sys.executable, "-m", "tests.bench.load", str(port), *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


class Counted(Store):
    """Counts what it has stored: asking the ledger every moment would slow down the relay."""

    count = 0

    def commit(self, batch: Batch) -> Outcome:
        """Commit, then count."""
        outcome = super().commit(batch)
        self.count += outcome.stored
        return outcome


def run(relay: Relay, until: Callable[[], object]) -> float:
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


def stored(store: Store, count: int, seconds: float = 120) -> None:
    """Return when so many facts are committed."""
    deadline = time.monotonic() + seconds
    while _count(store) < count:
        assert time.monotonic() < deadline, (_count(store), count)
        time.sleep(0.01)


def _count(store: Store) -> int:
    if isinstance(store, Counted):
        return store.count
    return sum(line.stored for line in store.ledger())
