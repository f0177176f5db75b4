"""PostgreSQL gone, restarted, hanging, or out of connections."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil
import pytest

from host_bridge.store import Batch, Store, StoreUnavailableError
from host_bridge.store import postgres as module
from tests.faults.clock import JUMP
from tests.host_bridge.listener import eventually
from tests.host_bridge.store.batches import batch, seat
from tests.services import Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[Store]:
    """A store that loses patience after a second."""
    Store.open(url).close()  # making the tables may take longer
    monkeypatch.setattr(module, "CALL_S", 1.0)
    monkeypatch.setattr(module, "STATEMENT_S", 0.5)
    monkeypatch.setattr(module, "CONNECT_S", 2)
    monkeypatch.setattr(module, "POOL", 4)
    store = Store.open(url)
    yield store
    store.close()


def commit_at_last(store: Store, each: Batch, seconds: float = 30) -> None:
    """Commit as the relay does: again and again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            store.commit(each)
        except StoreUnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def test_a_server_that_is_not_there_is_one_sentence(postgres: Postgres) -> None:
    with pytest.raises(StoreUnavailableError, match="can't be used now") as caught:
        Store.open(f"postgresql+psycopg://u:secret@/none?host={postgres.folder}/nowhere")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_store_finds_its_way_back_after_its_connections_were_ended(
    impatient: Store, url: str
) -> None:
    impatient.commit(batch(seat(1)))
    with Store.open(url)._engine.connect() as other:
        other.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    time.sleep(0.2)
    # Without an error in between: a connection that was closed is not handed out.
    assert impatient.commit(batch(seat(2))).stored == 1


@pytest.mark.slow
def test_facts_outlive_a_server_that_is_killed_and_started_again_under_load(
    postgres: Postgres, url: str
) -> None:
    store = Store.open(url)
    stop = threading.Event()
    written: list[int] = []

    def work(worker: int) -> None:
        seq = 0
        while not stop.is_set():
            facts = [seat(seq + n, unit=f"u{worker}") for n in range(1, 11)]
            line = Batch(worker=f"w{worker}", received=10, facts=facts, dead_letters=[])
            commit_at_last(store, line)
            seq += 10
        written.append(seq)

    with ThreadPoolExecutor(3) as threads, ExitStack() as end:
        end.callback(stop.set)
        work_done = [threads.submit(work, worker) for worker in range(3)]
        for _ in range(2):
            time.sleep(0.7)
            postgres.kill()
            time.sleep(0.1)
            postgres.start()
        time.sleep(0.7)
        stop.set()
        for each in work_done:
            each.result(60)
    rows = store.facts_after(0, 1_000_000)
    assert len({(row.unit, row.seq) for row in rows}) == len(rows) == sum(written)
    assert [line.difference for line in store.ledger()] == [0, 0, 0]
    assert sum(line.stored for line in store.ledger()) == len(rows)
    assert store.gaps() == []
    store.close()


def test_a_call_to_a_server_that_hangs_ends_in_time(postgres: Postgres, impatient: Store) -> None:
    impatient.commit(batch(seat(1)))
    with postgres.hung():
        for call in (
            lambda: impatient.commit(batch(seat(2))),
            lambda: impatient.facts_after(0, 1),
            impatient.changed,
        ):
            began = time.monotonic()
            with pytest.raises(StoreUnavailableError):
                call()
            assert time.monotonic() - began < 5
    commit_at_last(impatient, batch(seat(2)))
    assert [row.seq for row in impatient.facts_after(0, 10)] == [1, 2]
    (line,) = impatient.ledger()
    assert (line.stored, line.difference) == (2, 0)
    assert impatient.gaps() == []


def test_a_commit_that_waits_for_a_lock_too_long_is_refused_and_succeeds_later(
    impatient: Store, url: str
) -> None:
    impatient.commit(batch(seat(1)))
    intruder = Store.open(url)._engine.connect()
    intruder.exec_driver_sql("LOCK TABLE spans IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(StoreUnavailableError, match="timeout"):
        impatient.commit(batch(seat(2)))
    intruder.rollback()
    intruder.close()
    assert impatient.commit(batch(seat(2))).stored == 1


def test_a_relay_that_hangs_within_its_transaction_stops_the_others_only_for_a_while(
    impatient: Store, url: str
) -> None:
    # A relay that was stopped between two statements of a commit kept the units and the order of
    # commits locked: every other relay failed, again and again, for as long as it stood there.
    script = (
        "import sys; from host_bridge.store import Store;"
        "from tests.host_bridge.store.batches import batch, seat;"
        "Store.open(sys.argv[1]).commit(batch(seat(1)))"
    )
    fault = {"CHEQUER_FAULT": "store.in-transaction", "CHEQUER_TEST_HANG": "1"}
    environment = {**os.environ, **fault, "PYTHONPATH": str(JUMP)}
    with subprocess.Popen([sys.executable, "-c", script, url], env=environment) as hung:
        try:
            state = psutil.Process(hung.pid)
            eventually(lambda: state.status() == psutil.STATUS_STOPPED, 30)
            commit_at_last(impatient, batch(seat(2)), seconds=30)
            assert state.status() == psutil.STATUS_STOPPED
        finally:
            hung.kill()
    assert [row.seq for row in impatient.facts_after(0, 10)] == [2]


def test_too_many_callers_at_once_are_told_so(impatient: Store) -> None:
    with ExitStack() as held:
        for _ in range(module.POOL):
            held.enter_context(impatient._engine.connect())
        with pytest.raises(StoreUnavailableError, match="in use"):
            impatient.ledger()
    assert impatient.ledger() == []


def test_an_error_names_neither_values_nor_statements(impatient: Store) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        impatient.registry.issue("s" * 40, "ab" * 16, "headset", "Ada Lovelace")
    for secret in ("Ada", "ab" * 16, "INSERT"):
        assert secret not in str(caught.value)
