"""What is so now: the same whatever the order of arrival, and the same as made from the facts."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from host_bridge.contract.facts import AnyFact, Boot, Chip, Press, Seat, Tag, lane_of
from host_bridge.domain import sessions as domain
from host_bridge.domain.sessions import Event, Rules, fold
from host_bridge.store import (
    Batch,
    Incoming,
    PlannedDesk,
    Store,
    TransferError,
    bring_to,
    move,
    rebuild,
    sessions,
    told,
)
from host_bridge.store.current_tables import AWAY_MS, GRACE_MS, desks, signed_in, unit_states
from host_bridge.store.given_rows import GivenRows
from tests.host_bridge.store.batches import NOW, batch, empty

MINUTE = 60_000
ANNA, ANNAS_BADGE, BEA, CLEANER, STRANGER = (letter * 32 for letter in "abcde")
ROUND = NOW - NOW % MINUTE
"""The minute in which the tests' time begins."""


def register(store: Store) -> None:
    store.registry.issue("s", ANNA, "headset", "Anna Sorgente")
    store.registry.issue("s", ANNAS_BADGE, "badge", "Anna Sorgente")
    store.registry.issue("s", BEA, "headset", "Beatrice Fonda")
    store.registry.issue("s", CLEANER, "cleaner", None)


def came(fact: AnyFact, minute: float, *, late: int = 0) -> Incoming:
    """A fact of some minute that arrived so many minutes late."""
    at_ms = ROUND + int(minute * MINUTE)
    return Incoming(
        site="s", lane=lane_of(fact), fact=fact, time_ms=at_ms, sure="age",
        received_ms=at_ms + late * MINUTE, topic=f"chequer/v1/s/{fact.unit}/fact",
    )  # fmt: skip


def seat(seq: int, minute: float, occupied: bool, *, unit: str = "u", boot: int = 1) -> Incoming:
    return came(Seat(unit=unit, boot=boot, seq=seq, up=seq, occupied=occupied), minute)


def tap(seq: int, minute: float, tag: str = ANNA, *, unit: str = "u", boot: int = 1) -> Incoming:
    return came(Tag(unit=unit, boot=boot, seq=seq, up=seq, tag=tag), minute)


def boot_fact(boot: int, minute: float, firmware: str, *, unit: str = "u") -> Incoming:
    fact = Boot(unit=unit, boot=boot, seq=1, up=1, cause="power", firmware=firmware)
    return came(fact, minute)


def rows(store: Store, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """What a person sees who asks."""
    with store._engine.connect() as connection:
        return {
            table: [
                dict(row)
                for row in connection.exec_driver_sql(
                    f"SELECT * FROM {table} ORDER BY 1, 2"
                ).mappings()
            ]
            for table in tables
        }


def began(store: Store) -> dict[str, int]:
    """Who is signed in where: by the number of the tap."""
    return {row["unit"]: row["seq"] for row in rows(store, "signed_in")["signed_in"]}


def told_by(store: Store) -> list[told.Difference]:
    """Where the tables are not what the facts say."""
    reading = told.Reading()
    with store._engine.connect() as connection:
        for _ in reading.read(connection):
            pass
        return told.differences(connection, *reading.told(connection))


def test_a_unit_is_there_with_its_boot_its_firmware_and_when_it_was_heard(store: Store) -> None:
    store.commit(batch(boot_fact(3, 0, "1.4.0"), seat(2, 5.9, True, boot=3)))
    assert rows(store, "units")["units"] == [
        {"site": "s", "unit": "u", "boot": 3, "firmware": "1.4.0", "heard_ms": ROUND + 5 * MINUTE}
    ]


def test_what_an_earlier_boot_left_behind_overwrites_nothing(store: Store) -> None:
    store.commit(batch(boot_fact(3, 10, "2"), seat(2, 11, True, boot=3)))
    before = rows(store, "units", "seats")
    store.commit(batch(boot_fact(2, 0, "1"), seat(9, 9, False, boot=2)))
    assert rows(store, "units", "seats") == before


def test_the_firmware_is_not_told_until_the_boot_s_own_fact_has_come(store: Store) -> None:
    store.commit(batch(boot_fact(1, 0, "1")))
    store.commit(batch(seat(2, 1, True, boot=2)))
    assert rows(store, "units")["units"][0]["firmware"] is None
    store.commit(batch(boot_fact(2, 0, "2\0")))
    assert rows(store, "units")["units"][0]["firmware"] == "2\N{REPLACEMENT CHARACTER}"


def test_a_press_moves_nothing(store: Store) -> None:
    register(store)
    store.commit(batch(seat(1, 0, True), tap(2, 0)))
    before = rows(store, "unit_states", "signed_in")
    store.commit(batch(came(Press(unit="u", boot=7, seq=1, up=9), 30)))
    assert rows(store, "unit_states", "signed_in") == before
    store.commit(batch(came(Press(unit="silent", boot=1, seq=1, up=9), 30)))
    assert rows(store, "unit_states", "signed_in") == before


def test_no_table_of_what_is_so_now_holds_a_tag_a_name_or_a_number_of_a_person(
    store: Store,
) -> None:
    for number in range(700):
        store.registry.issue("s", f"{number:032x}", "headset", f"Persona {number}")
    register(store)
    record = store.registry.record("s", BEA)
    assert record is not None
    assert record.person is not None
    store.commit(batch(seat(1, 0, True), tap(2, 0, BEA)))
    found = rows(store, "unit_states", "signed_in", "desks", "units", "seats", "sessions", "rooms")
    assert found["signed_in"]
    values = {value for table in found.values() for row in table for value in row.values()}
    assert not values & {BEA, record.person, "Beatrice Fonda"}
    named = {column.name for table in (unit_states, signed_in, desks) for column in table.columns}
    assert not named & {"person", "tag", "name", "holder"}


def test_a_session_begins_with_the_headset_and_ends_with_the_same_person_s_tap(
    store: Store,
) -> None:
    register(store)
    store.commit(batch(tap(1, 0, ANNAS_BADGE), tap(2, 0), seat(3, 1, True)))
    assert began(store) == {"u": 2}
    store.commit(batch(tap(4, 2, BEA), tap(5, 3, CLEANER), tap(6, 4, STRANGER)))
    assert began(store) == {"u": 2}
    store.commit(batch(tap(7, 60, ANNAS_BADGE)))
    assert began(store) == {}
    store.commit(batch(tap(8, 61, BEA)))
    assert began(store) == {"u": 8}


def test_a_tag_that_is_presented_to_be_enrolled_is_no_badge_in(store: Store) -> None:
    register(store)
    store.commit(batch(came(Tag(unit="u", boot=1, seq=1, up=1, tag=ANNA, enrol=True), 0)))
    assert began(store) == {}


def test_who_stays_away_too_long_has_left(store: Store) -> None:
    register(store)
    store.plan.put("s", [plan("u", away_ms=5 * MINUTE)])
    store.commit(batch(seat(1, 0, True), tap(2, 0), seat(3, 10, False), seat(4, 15, True)))
    assert began(store) == {"u": 2}
    store.commit(batch(seat(5, 20, False), tap(6, 26)))
    assert began(store) == {"u": 6}


def test_a_session_ends_when_the_unit_starts_anew(store: Store) -> None:
    register(store)
    store.commit(batch(seat(1, 0, True), tap(2, 0)))
    store.commit(batch(boot_fact(2, 5, "1")))
    assert began(store) == {}


def plan(unit: str, *, away_ms: int = AWAY_MS, cap: int | None = None) -> PlannedDesk:
    return PlannedDesk(unit=unit, desk=unit.upper(), room="Nord", cap=cap, away_ms=away_ms)


def test_rooms_and_sessions_are_told_as_of_this_minute(store: Store) -> None:
    register(store)
    assert store.plan.put("s", [plan("u", cap=2), plan("v", cap=2), plan("w", cap=2)])
    assert not store.plan.put("s", [plan("w", cap=2), plan("u", cap=2), plan("v", cap=2)])
    now = (time.time() * 1000 - ROUND) / MINUTE
    store.commit(batch(seat(1, now - 90, True), tap(2, now - 90), seat(3, now - 2, False)))
    store.commit(batch(tap(1, now - 90, BEA, unit="v"), seat(1, now - 30, True, unit="w")))
    found = rows(store, "sessions", "rooms", "seats")
    assert [(row["unit"], row["room"], row["desk"]) for row in found["sessions"]] == [
        ("u", "Nord", "U")
    ]
    assert found["rooms"] == [{"site": "s", "room": "Nord", "cap": 2, "desks": 3, "taken": 2}]
    taken = [row["unit"] for row in found["seats"] if row["occupied"]]
    assert taken == ["w"]


UNITS = ("u", "v")
WHAT = st.sampled_from(["sit", "rise", ANNA, ANNA, BEA, ANNAS_BADGE, CLEANER, "enrol", "chip"])
GAPS = st.sampled_from([0.4, 0.4, 3, 10, 11, 12, 500, -7])
LIVES = st.lists(st.lists(st.tuples(WHAT, GAPS), max_size=14), max_size=3)


def life(unit: str, boots: list[list[tuple[str, float]]]) -> list[Incoming]:
    """All facts of a unit: what happens after each of its starts, so many minutes apart."""
    minute, facts = 0.0, []
    for boot, happenings in enumerate(boots, start=1):
        facts.append(boot_fact(boot, minute, f"1.{boot}", unit=unit))
        for seq, (what, gap) in enumerate(happenings, start=2):
            minute += gap
            facts.append(came(_fact(what, unit, boot, seq), minute, late=seq % 3))
        facts.append(came(Press(unit=unit, boot=boot, seq=1, up=5), minute))
    return facts


def _fact(what: str, unit: str, boot: int, seq: int) -> AnyFact:
    if what in {"sit", "rise"}:
        return Seat(unit=unit, boot=boot, seq=seq, up=seq, occupied=what == "sit")
    if what == "chip":
        return Chip(unit=unit, boot=boot, seq=seq, up=seq, chip="mfrc522", ok=False)
    tag = ANNA if what == "enrol" else what
    return Tag(unit=unit, boot=boot, seq=seq, up=seq, tag=tag, enrol=what == "enrol")


def model(store: Store, facts: Sequence[Incoming]) -> dict[str, tuple[int, int, int | None]]:
    """The sessions by the plainest fold: all of a unit's last boot, one after the other."""
    found = {}
    tags = (ANNA, ANNAS_BADGE, BEA, CLEANER)
    entries = {tag: store.registry.record("s", tag) for tag in tags}
    register_ = {tag: entry for tag, entry in entries.items() if entry is not None}
    for unit in {each.fact.unit for each in facts if each.lane == "ordinary"}:
        own = {e.fact.seq: e for e in facts if e.fact.unit == unit and e.lane == "ordinary"
               and e.fact.boot == max(f.fact.boot for f in facts if f.fact.unit == unit
                                      and f.lane == "ordinary")}  # fmt: skip
        events = []
        for seq, each in sorted(own.items()):
            at_ms = each.time_ms - each.time_ms % MINUTE
            if isinstance(each.fact, Seat):
                events.append(Event(seq, at_ms, each.fact.occupied, None))
            elif isinstance(each.fact, Tag) and not each.fact.enrol:
                events.append(Event(seq, at_ms, None, each.fact.tag))
        boot = own[min(own)].fact.boot
        session = fold(None, events, Rules(boot, AWAY_MS + GRACE_MS, register_))
        if session is not None:
            found[unit] = (session.seq, session.since_ms, session.idle_ms)
    return found


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=st.tuples(LIVES, LIVES), chance=st.randoms(use_true_random=False))
@example(
    # A tap comes before the seat change that it followed: the session's seat was not empty.
    lives=([[("sit", 0.4), (ANNA, 0.4), ("rise", 500), ("sit", 3)]], []),
    chance=random.Random(3),
)
def test_any_order_of_arrival_leaves_what_the_facts_say(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    lives: tuple[list[list[tuple[str, float]]], ...],
    chance: random.Random,
) -> None:
    monkeypatch.setattr(domain, "BLOCK", 8)
    monkeypatch.setattr(sessions, "BLOCK", 8)
    monkeypatch.setattr(sessions, "PORTION", 3)
    monkeypatch.setattr(told, "PORTION", 5)
    empty(store)
    register(store)
    facts = [fact for unit, boots in zip(UNITS, lives, strict=True) for fact in life(unit, boots)]
    arrivals = [*facts, *chance.sample(facts, len(facts) // 3)]
    if chance.random() < 0.7:
        chance.shuffle(arrivals)
    while arrivals:
        count = chance.randrange(1, 12)
        store.commit(batch(*arrivals[:count]))
        arrivals = arrivals[count:]
    assert told_by(store) == []
    found = {
        row["unit"]: (row["seq"], row["since_ms"], row["idle_ms"])
        for row in rows(store, "signed_in")["signed_in"]
    }
    assert found == model(store, facts)
    top = {unit: len(boots) for unit, boots in zip(UNITS, lives, strict=True) if boots}
    assert {
        row["unit"]: (row["boot"], row["firmware"]) for row in rows(store, "units")["units"]
    } == {unit: (boot, f"1.{boot}") for unit, boot in top.items()}


def test_what_lies_further_back_than_is_read_at_first_still_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "PORTION", 3)
    register(store)
    sitting = [seat(seq, seq, seq % 2 == 1) for seq in range(3, 30)]
    store.commit(batch(seat(1, 0, True), tap(2, 0), *(s for s in sitting if s.fact.seq != 20)))
    store.commit(batch(seat(20, 20, False)))
    assert began(store) == {"u": 2}
    assert told_by(store) == []


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
    assert rebuild(store_url, nowhere) == [found]
    assert rows(store, "unit_states", "signed_in") == right
    assert rebuild(store_url, nowhere, check=True) == []


def nowhere(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""


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


STATEMENTS = ("INSERT INTO spans", "INSERT INTO unit_states", "INSERT INTO signed_in", "facts")


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_a_worker_that_is_killed_between_statements_leaves_both_or_neither(
    store_url: str, before: int
) -> None:
    store = Store.open(store_url)
    register(store)
    store.commit(batch(seat(1, 0, False)))
    right = rows(store, "unit_states", "signed_in")
    script = (
        "import sys; from tests.host_bridge.store.test_projections import die;"
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
        step = next((s for s in STATEMENTS[:3] if s in " ".join(text.split())), None)
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


def test_a_batch_of_what_is_there_already_writes_none_of_these_tables(store: Store) -> None:
    register(store)
    store.commit(batch(seat(1, 0, True), tap(2, 0)))
    texts: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *call: texts.append(call[2]))
    store.commit(batch(seat(1, 0, True), tap(2, 0)))
    store.commit(batch(came(Press(unit="u", boot=1, seq=1, up=9), 1)))
    assert not [text for text in texts if "unit_states" in text or "signed_in" in text]


@pytest.mark.parametrize("statement", [sessions._BEGAN, sessions._TAGS, told._BOOTS, told._SEATS])
def test_facts_and_tags_are_looked_up_by_an_index(tmp_path: Path, statement: GivenRows) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/x.db")
    values = tuple("1" * (2 * len(statement._columns)))
    with store._engine.connect() as connection:
        text = f"EXPLAIN QUERY PLAN {statement._with_values(2)}"
        steps = [step[3] for step in connection.exec_driver_sql(text, values)]
    assert any(step.startswith(("SEARCH f USING", "SEARCH t USING")) for step in steps), steps
    assert not any(step.startswith(("SCAN f", "SCAN t")) for step in steps), steps
    store.close()
