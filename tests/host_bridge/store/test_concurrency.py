"""Several relay workers on one database, and a reader beside them."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from host_bridge.contract.facts import Boot, LastBoot
from host_bridge.store import Batch, Incoming, Store, StoreUnavailableError
from host_bridge.store import store as module
from host_bridge.store.spans import merge
from host_bridge.store.tables import spans
from tests.host_bridge.store.batches import batch, incoming, seat

UNITS, NUMBERS, WORKERS, ROUNDS = 6, 120, 4, 25


def delivered(worker: int) -> list[Batch]:
    """What a worker is handed: stretches of any units, out of order, much of it by several."""
    chance = random.Random(worker)
    batches = []
    for _ in range(ROUNDS):
        facts: list[Incoming] = []
        for unit in chance.sample(range(UNITS), 3):
            start = chance.randrange(1, NUMBERS)
            facts += (seat(n, unit=f"u{unit}") for n in range(start, min(start + 12, NUMBERS + 1)))
        chance.shuffle(facts)
        batches.append(
            Batch(worker=f"w{worker}", received=len(facts), facts=facts, dead_letters=[])
        )
    return batches


def prove(store: Store) -> None:
    """The store is as if one worker had committed all of it."""
    everything = [fact for worker in range(WORKERS) for b in delivered(worker) for fact in b.facts]
    model = {fact.key for fact in everything}
    rows = store.facts_after(0, 100_000)
    keys = [(row.unit, row.seq) for row in rows]
    assert len(keys) == len(set(keys))
    assert set(keys) == {(key.stream.unit, key.seq) for key in model}
    assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    with store._engine.connect() as connection:
        found = connection.execute(sa.select(spans.c.unit, spans.c.first, spans.c.last)).all()
    for unit in {key.stream.unit for key in model}:
        numbers = [(key.seq, key.seq) for key in model if key.stream.unit == unit]
        assert sorted((row[1], row[2]) for row in found if row[0] == unit) == merge(numbers)
    ledger = store.ledger()
    assert [line.difference for line in ledger] == [0] * WORKERS
    assert sum(line.stored for line in ledger) == len(model)
    assert sum(line.received for line in ledger) == len(everything)


def test_threads_that_make_databases_at_the_same_time_do_not_mix_them_up(tmp_path: Path) -> None:
    together = threading.Barrier(6)

    def make(number: int) -> list[str]:
        together.wait()
        store = Store.open(f"sqlite:///{tmp_path}/{number}.db")
        store.commit(batch(seat(1, unit=f"u{number}")))
        stored = [row.unit for row in store.facts_after(0, 10)]
        store.close()
        return stored

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(make, range(6))) == [[f"u{number}"] for number in range(6)]


def test_threads_that_commit_the_same_streams_lose_no_span(store: Store) -> None:
    def work(worker: int) -> None:
        for each in delivered(worker):
            store.commit(each)

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(work, range(WORKERS)))
    prove(store)


def test_processes_that_commit_the_same_streams_lose_no_span(store_url: str) -> None:
    script = (
        "import sys; from host_bridge.store import Store;"
        "from tests.host_bridge.store.test_concurrency import delivered;"
        "store = Store.open(sys.argv[1]);"
        "[store.commit(each) for each in delivered(int(sys.argv[2]))]"
    )
    command = [sys.executable, "-c", script, store_url]
    started = [subprocess.Popen([*command, str(worker)]) for worker in range(WORKERS)]
    assert [process.wait(60) for process in started] == [0] * WORKERS
    store = Store.open(store_url)
    prove(store)
    store.close()


def test_a_worker_under_a_name_used_twice_is_one_line_of_the_ledger(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda n: store.commit(batch(seat(1, unit=f"u{n}"))), range(8)))
    assert sum(outcome.stored for outcome in outcomes) == 8
    (line,) = store.ledger()
    assert (line.received, line.stored) == (8, 8)


def test_boots_that_tell_of_one_tail_at_once_leave_one_report(store: Store) -> None:
    def boot(number: int) -> Incoming:
        last = LastBoot(boot=1, ordinary=4, button=0)
        return incoming(
            Boot(unit="u", boot=number, seq=1, up=1, cause="power", firmware="1", last=last)
        )

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: store.commit(batch(boot(number))), range(2, 6)))
    assert [gap.missing for gap in store.gaps() if gap.boot == 1] == [4]


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Callable[[threading.Event], threading.Event]:
    """Hold the next commit just before its end, until the event; returns: it is there."""

    def prepare(until: threading.Event) -> threading.Event:
        there = threading.Event()
        first = threading.Lock()

        def reach(_point: str) -> None:
            if first.acquire(blocking=False):
                there.set()
                assert until.wait(20)

        monkeypatch.setattr(module, "reach", reach)
        return there

    return prepare


def test_a_reader_skips_no_fact_of_a_commit_that_ends_later(
    store: Store, pause: Callable[[threading.Event], threading.Event]
) -> None:
    # A commit that began first and ends last: with ids from a sequence its facts would become
    # visible behind the reader's back, below the id up to which it has read.
    go_on = threading.Event()
    held = pause(go_on)
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(store.commit, batch(seat(1, unit="slow"), worker="slow"))
        assert held.wait(20)
        quick = threads.submit(store.commit, batch(seat(1, unit="quick"), worker="quick"))
        seen: list[str] = []
        last = 0
        patience = time.monotonic() + 0.3
        while not (slow.done() and quick.done()) or store.facts_after(last, 1):
            for row in store.facts_after(last, 10):
                seen.append(row.unit)
                last = row.id
            if time.monotonic() > patience:
                go_on.set()
    assert sorted(seen) == ["quick", "slow"]


def test_a_commit_waits_for_another_one_of_the_same_unit(
    store: Store, pause: Callable[[threading.Event], threading.Event]
) -> None:
    # Both would read the same spans, and the one that writes last would not know of the other.
    go_on = threading.Event()
    held = pause(go_on)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(store.commit, batch(seat(1), seat(2), worker="first"))
        assert held.wait(20)
        second = threads.submit(store.commit, batch(seat(3), seat(4), worker="second"))
        time.sleep(0.3)
        waited = not second.done()
        go_on.set()
    assert waited
    assert (first.result().stored, second.result().stored) == (2, 2)
    assert list(second.result().acknowledge.values()) == [[(1, 4)]]


def commit(store: Store, each: Batch) -> None:
    """As a relay does: a database that is too busy is asked again."""
    while True:
        try:
            store.commit(each)
        except StoreUnavailableError:
            continue
        return


def test_a_reader_of_a_busy_database_sees_every_fact_once_in_ascending_order(
    store: Store, store_url: str
) -> None:
    reader = Store.open(store_url)
    with ThreadPoolExecutor(WORKERS) as threads:
        work = [
            threads.submit(lambda w=w: [commit(store, each) for each in delivered(w)])
            for w in range(WORKERS)
        ]
        seen: list[tuple[str, int]] = []
        last = 0
        while not all(each.done() for each in work) or reader.facts_after(last, 1):
            for row in reader.facts_after(last, 50):
                seen.append((row.unit, row.seq))
                last = row.id
    assert all(each.result() is not None for each in work)
    reader.close()
    assert seen == [(row.unit, row.seq) for row in store.facts_after(0, 100_000)]
    prove(store)
