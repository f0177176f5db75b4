"""What is so now: the same whatever the order of arrival, and the same as made from the facts."""

import random
import time

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from host_bridge.contract.facts import Press, Tag
from host_bridge.domain import sessions as domain
from host_bridge.store import Store, sessions, told
from host_bridge.store.current_tables import desks, signed_in, unit_states
from tests.host_bridge.store.batches import batch, empty
from tests.host_bridge.store.desk_facts import (
    ANNA,
    ANNAS_BADGE,
    BEA,
    CLEANER,
    MINUTE,
    ROUND,
    STRANGER,
    began,
    boot_fact,
    came,
    life,
    model,
    plan,
    register,
    rows,
    seat,
    tap,
    told_by,
)


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
    monkeypatch.setattr(sessions, "PORTIONS", (3,))
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
    monkeypatch.setattr(sessions, "PORTIONS", (3,))
    register(store)
    sitting = [seat(seq, seq, seq % 2 == 1) for seq in range(3, 30)]
    store.commit(batch(seat(1, 0, True), tap(2, 0), *(s for s in sitting if s.fact.seq != 20)))
    store.commit(batch(seat(20, 20, False)))
    assert began(store) == {"u": 2}
    assert told_by(store) == []


def test_a_batch_of_what_is_there_already_writes_none_of_these_tables(store: Store) -> None:
    register(store)
    store.commit(batch(seat(1, 0, True), tap(2, 0)))
    texts: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *call: texts.append(call[2]))
    store.commit(batch(seat(1, 0, True), tap(2, 0)))
    store.commit(batch(came(Press(unit="u", boot=1, seq=1, up=9), 1)))
    assert not [text for text in texts if "unit_states" in text or "signed_in" in text]
