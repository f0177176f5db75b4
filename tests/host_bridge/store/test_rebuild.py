"""What is so now, made again from the facts; killed, moved, and beside others who write."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from host_bridge.store import (
    Batch,
    Incoming,
    Store,
    TransferError,
    bring_to,
    desk_events,
    move,
    rebuild,
    sample,
    sessions,
    told,
)
from host_bridge.store.given_rows import GivenRows
from tests.host_bridge.store.batches import batch
from tests.host_bridge.store.desk_facts import (
    ANNA,
    BEA,
    CLEANER,
    ROUND,
    began,
    boot_fact,
    life,
    model,
    nowhere,
    register,
    rows,
    seat,
    tap,
    told_by,
)


def tamper(store: Store, change: str) -> None:
    with store._writer.begin() as connection:
        connection.exec_driver_sql(change)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            "UPDATE unit_states SET firmware = 'forged' WHERE unit = 'v'",
            "unit_states, s/v: it says",
        ),
        ("UPDATE unit_states SET since_ms = since_ms - 60000 WHERE unit = 'u'", "since_ms"),
        ("DELETE FROM unit_states WHERE unit = 'u'", "unit_states, s/u: there is no row"),
        ("DELETE FROM signed_in", "signed_in, s/u: there is no row"),
        ("INSERT INTO signed_in VALUES ('s', 'v', 1, 9, 60000, NULL)", "no fact says so"),
        ("INSERT INTO unit_states VALUES ('s', 'x', 1, '1', 0, 0, 0, NULL, NULL)", "s/x"),
    ],
)
def test_a_tampered_row_is_named_by_the_check_and_mended_by_the_rebuild(
    store: Store, store_url: str, change: str, named: str
) -> None:
    register(store)
    store.commit(batch(boot_fact(1, 0, "1"), seat(2, 1, True), tap(3, 1)))
    store.commit(batch(boot_fact(1, 0, "1", unit="v"), seat(2, 1, True, unit="v")))
    right = rows(store, "unit_states", "signed_in")
    steps: list[tuple[int, int]] = []
    assert rebuild(store_url, lambda *step: steps.append(step), check=True) == []
    assert steps[-1] == (5, 5)
    tamper(store, change)
    wrong = rows(store, "unit_states", "signed_in")
    (found,) = rebuild(store_url, nowhere, check=True)
    assert named in str(found)
    assert rows(store, "unit_states", "signed_in") == wrong
    # A unit without a row is in no sample.
    missing = found.table == "unit_states" and found.there is None
    assert sample(store_url, 5) == ([] if missing else [found])
    assert rebuild(store_url, nowhere) == [found]
    assert rows(store, "unit_states", "signed_in") == right
    assert rebuild(store_url, nowhere, check=True) == []


def test_rows_whose_facts_were_deleted_go_with_the_rebuild(store: Store, store_url: str) -> None:
    register(store)
    store.commit(batch(seat(1, 0, True), tap(2, 0), seat(1, 0, True, unit="v")))
    tamper(store, "DELETE FROM facts WHERE unit = 'u'")
    assert {(each.table, each.unit) for each in rebuild(store_url, nowhere)} == {
        ("unit_states", "u"),
        ("signed_in", "u"),
    }
    assert [row["unit"] for row in rows(store, "units")["units"]] == ["v"]


def test_going_up_fills_the_tables_from_the_facts_and_going_back_removes_them(
    store: Store, store_url: str
) -> None:
    register(store)
    store.commit(batch(boot_fact(1, 0, "1"), seat(2, 1, True), tap(3, 1)))
    before = rows(store, "unit_states", "signed_in", "units", "seats")
    assert all(before.values())
    assert bring_to(store_url, "0005")[-1] == "0006"
    with store._engine.connect() as connection:
        inspector = sa.inspect(connection)
        left = {*inspector.get_table_names(), *inspector.get_view_names()}
    assert not left & {
        "unit_states", "signed_in", "desks", "units", "seats", "sessions", "rooms"
    }  # fmt: skip
    with pytest.raises(TransferError, match="chequer migrate"):
        rebuild(store_url, nowhere)
    assert "0006" in bring_to(store_url, "head")
    assert rows(store, "unit_states", "signed_in", "units", "seats") == before


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_moving_takes_them_along(new_url: Callable[[str], str], kind: str) -> None:
    source, target = new_url(kind), new_url("postgresql" if kind == "sqlite" else "sqlite")
    store = Store.open(source)
    register(store)
    store.commit(batch(boot_fact(1, 0, "1"), seat(2, 1, True), tap(3, 1)))
    store.close()
    move(source, target, ROUND, nowhere)
    assert rebuild(target, nowhere, check=True) == []
    moved = Store.open(target)
    assert began(moved) == {"u": 3}
    moved.commit(batch(tap(4, 2)))
    assert began(moved) == {}
    moved.close()


STATEMENTS = (" INTO spans", " INTO signed_in", " INTO unit_states")


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_a_worker_that_is_killed_between_statements_leaves_both_or_neither(
    store_url: str, before: int
) -> None:
    store = Store.open(store_url)
    register(store)
    store.commit(batch(seat(1, 0, False)))
    right = rows(store, "unit_states", "signed_in")
    script = (
        "import sys; from tests.host_bridge.store.test_rebuild import die;"
        "die(sys.argv[1], int(sys.argv[2]))"
    )
    process = subprocess.run([sys.executable, "-c", script, store_url, str(before)], check=False)
    assert process.returncode == -signal.SIGKILL
    assert rows(store, "unit_states", "signed_in") == right
    assert len(store.facts_after(0, 10)) == 1
    assert told_by(store) == []
    store.commit(dying())
    assert began(store) == {"u": 3}
    assert told_by(store) == []
    store.close()


def dying() -> Batch:
    return batch(seat(2, 20, True), tap(3, 20))


def die(url: str, before: int) -> None:
    """Commit, and be killed before one of the statements, or before the commit itself."""
    store = Store.open(url)
    seen: list[str] = []

    def look(_c: Any, _cursor: Any, text: str, *_: Any) -> None:
        step = next((s for s in STATEMENTS if s in " ".join(text.split())), None)
        if step is not None and step not in seen:
            seen.append(step)
            if len(seen) == before + 1:
                os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(store._engine, "before_cursor_execute", look)
    sa.event.listen(store._engine, "commit", lambda _c: os.kill(os.getpid(), signal.SIGKILL))
    store.commit(dying())


WORKERS, ROUNDS = 4, 20


def handed(worker: int) -> list[Batch]:
    """What a worker is handed: stretches of the lives of any units, some of them by several."""
    chance, lives = random.Random(worker), busy_lives()
    batches = []
    for _ in range(ROUNDS):
        facts: list[Incoming] = []
        for own in chance.sample(lives, 3):
            start = chance.randrange(len(own))
            facts += own[start : start + 10]
        chance.shuffle(facts)
        batches.append(
            Batch(worker=f"w{worker}", received=len(facts), facts=facts, dead_letters=[])
        )
    return batches


def busy_lives() -> list[list[Incoming]]:
    chance = random.Random(0)
    happenings = ["sit", "rise", ANNA, BEA, CLEANER, "chip"]
    return [
        life(f"u{n}", [[(chance.choice(happenings), chance.choice([0.4, 3, 12])) for _ in range(30)]
                       for _ in range(2)])
        for n in range(6)
    ]  # fmt: skip


def test_workers_that_commit_the_same_units_at_once_leave_what_the_facts_say(
    store: Store,
) -> None:
    register(store)

    def work(worker: int) -> None:
        for each in handed(worker):
            store.commit(each)

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(work, range(WORKERS)))
    assert told_by(store) == []
    facts = [fact for w in range(WORKERS) for each in handed(w) for fact in each.facts]
    assert set(began(store)) == set(model(store, facts))
    assert rows(store, "units")["units"]


def test_a_rebuild_while_workers_commit_is_spoilt_by_none_of_them(
    store: Store, store_url: str
) -> None:
    register(store)

    def work(worker: int) -> None:
        for each in handed(worker):
            store.commit(each)

    with ThreadPoolExecutor(WORKERS) as threads:
        working = [threads.submit(work, worker) for worker in range(WORKERS)]
        found, times = [], 0
        while not all(each.done() for each in working) or times < 3:
            found += rebuild(store_url, nowhere)
            found += rebuild(store_url, nowhere, check=True)
            times += 1
    assert [each.result() for each in working] == [None] * WORKERS
    assert found == []
    assert told_by(store) == []


@pytest.mark.parametrize("statement", [desk_events.FACTS_AT, sessions._TAGS, told._BOOTS])
def test_facts_and_tags_are_looked_up_by_an_index(tmp_path: Path, statement: GivenRows) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/x.db")
    values = tuple("1" * (2 * len(statement._columns)))
    with store._engine.connect() as connection:
        text = f"EXPLAIN QUERY PLAN {statement._with_values(2)}"
        steps = [step[3] for step in connection.exec_driver_sql(text, values)]
    assert any(step.startswith(("SEARCH f USING", "SEARCH t USING")) for step in steps), steps
    assert not any(step.startswith(("SCAN f", "SCAN t")) for step in steps), steps
    store.close()
