"""Turns: nobody who wants to write is passed by those who came later."""

import sqlite3
import threading
import time
from collections import deque
from contextlib import closing
from pathlib import Path

import pytest

from host_bridge.store import Lease, Store, StoreUnavailableError, sqlite
from host_bridge.store.turn import Turn, turn_of
from tests.host_bridge.listener import eventually


def test_whoever_waits_longest_is_next() -> None:
    turn, order = Turn(), []
    assert turn.take(0)

    def wait(name: int) -> None:
        assert turn.take(30)
        order.append(name)
        turn.give()

    threads = [threading.Thread(target=wait, args=(name,)) for name in range(5)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        eventually(lambda count=count: len(turn._waiting) == count)
    turn.give()
    for thread in threads:
        thread.join(30)
    assert order == list(range(5))
    assert turn.take(0)


def test_who_gives_up_waiting_is_passed_over() -> None:
    turn = Turn()
    assert turn.take(0)
    assert not turn.take(0.01)
    turn.give()
    assert turn.take(0)


class Queue(deque[threading.Lock]):
    """The queue of a turn; counts who has the turn while one thread waits in it.

    Exact, whenever threads go on: that thread begins to count under the turn's own lock, and the
    others count while they have the turn.
    """

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._thread = threading.current_thread()
        self._take = turn.take
        self._waits = False
        self.waited = 0
        self.most_before = self._before = 0
        turn._waiting = self
        turn.take = self.take  # type: ignore[method-assign]

    def append(self, lock: threading.Lock) -> None:
        if threading.current_thread() is self._thread:
            self._waits, self._before = True, 0
            self.waited += 1
        super().append(lock)

    def take(self, seconds: float) -> bool:
        taken = self._take(seconds)
        if threading.current_thread() is self._thread:
            self._waits = False
        elif self._waits:
            self._before += 1
            self.most_before = max(self.most_before, self._before)
        return taken


def test_a_lease_is_renewed_beside_writers_that_never_pause(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    stop, written = threading.Event(), [0]
    queue = Queue(turn_of(tmp_path / "chequer.db"))

    def write() -> None:
        while not stop.is_set():
            store.registry.issue("site", f"{written[0] % 100:032x}", "headset", "Anna")
            written[0] += 1

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        seen: Lease | None = None
        for beat in range(20):
            eventually(lambda: written[0] > 10)
            new = Lease("me", 1, beat)
            assert store.leases.replace("site", seen, new)
            seen = new
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        store.close()
    assert queue.waited, "the lease did not wait for its turn"
    # Each of the others once: who was writing, and who came before.
    assert queue.most_before <= len(threads), "later ones went ahead"


def test_a_writer_that_waits_in_vain_says_so_and_the_turn_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    turn = turn_of(tmp_path / "chequer.db")
    assert turn.take(0)
    with pytest.raises(StoreUnavailableError, match="locked by another writer of this process"):
        store.registry.issue("site", "a" * 32, "headset", "Anna")
    turn.give()
    store.registry.issue("site", "a" * 32, "headset", "Anna")
    store.close()


def test_a_transaction_that_fails_gives_the_turn_back(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    with (
        pytest.raises(ZeroDivisionError),
        store._engine.execution_options(writes=True).begin(),
    ):
        _ = 1 / 0
    began = time.monotonic()
    store.registry.issue("site", "a" * 32, "headset", "Anna")
    assert time.monotonic() - began < sqlite.BUSY_TIMEOUT_MS / 1000
    store.close()


def test_a_lease_is_renewed_beside_another_process_that_writes_nearly_all_the_time(
    tmp_path: Path,
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    stop, held = threading.Event(), [0]

    def write() -> None:
        # A connection that takes no turns is for SQLite what another process is.
        with closing(sqlite3.connect(tmp_path / "chequer.db", isolation_level=None)) as other:
            while not stop.is_set():
                other.execute("BEGIN IMMEDIATE")
                held[0] += 1
                time.sleep(0.15)
                other.execute("COMMIT")
                time.sleep(0.005)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        seen: Lease | None = None
        waited = []
        for beat in range(5):
            before = held[0]
            eventually(lambda before=before: held[0] > before)
            new = Lease("me", 1, beat)
            assert store.leases.replace("site", seen, new)
            waited.append(held[0] - before)
            seen = new
    finally:
        stop.set()
        thread.join(20)
    store.close()
    assert sum(waited) <= 20, "SQLite itself sleeps through most pauses: thirty and more"
