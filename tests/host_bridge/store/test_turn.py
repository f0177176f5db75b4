"""Turns: nobody who wants to write is passed by those who came later."""

import threading
import time
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


def test_a_lease_is_renewed_beside_writers_that_never_pause(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    stop, written = threading.Event(), [0]

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
            before = written[0]
            assert store.leases.replace("site", seen, new)
            # Who was writing or came before may finish, and each of them once while we return.
            assert written[0] - before <= 3 * len(threads), "later ones went ahead"
            seen = new
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        store.close()


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
