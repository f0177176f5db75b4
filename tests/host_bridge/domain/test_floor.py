import itertools
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_bridge.contract.facts import AnyFact, Chip, Press, Seat, Tag, Urgent
from host_bridge.domain import timeline
from host_bridge.domain.floor import Floor, Withdrawal, day_number
from host_bridge.settings import Desk, Room, Site

T = 1_800_000_000_000
MINUTE = 60_000
ONLINE = {"a": True, "b": True, "c": True, "far": True}


@dataclass(frozen=True)
class Record:
    kind: str
    person: int | None
    status: str = "issued"


REGISTER = {
    "a" * 32: Record("headset", 1),
    "b" * 32: Record("headset", 2),
    "c" * 32: Record("cleaner", None),
}


@dataclass(frozen=True)
class Stored:
    unit: str
    boot: int
    seq: int
    time_ms: int
    received_ms: int
    fact: AnyFact


def site(cap: int | None = None) -> Site:
    """Three desks in a row that exclude their neighbours, and one far away."""
    places = {"a": 0.0, "b": 1.0, "c": 2.0, "far": 99.0}
    desks = [Desk(name=unit.upper(), unit=unit, x=x, y=0.0) for unit, x in places.items()]
    return Site(name="hq", rooms=[Room(name="Room", desks=desks, clearance=1.5, cap=cap)])


def floor(cap: int | None = None, shift: int = 0) -> Floor:
    return Floor(site(cap), REGISTER.get, shift=lambda _: shift)


def key(unit: str, boot: int, seq: int) -> dict:
    return {"unit": unit, "boot": boot, "seq": seq, "up": 0}


def seat(unit, seq, occupied, at=0, boot=1) -> Stored:
    fact = Seat(**key(unit, boot, seq), occupied=occupied)
    return Stored(unit, boot, seq, T + at, T + at, fact)


def tap(unit, seq, tag, at=0, boot=1) -> Stored:
    fields = {**key(unit, boot, seq), "up": max(0, at)}
    return Stored(unit, boot, seq, T + at, T + at, Tag(**fields, tag=tag * 32))


def press(unit, seq, at=0, boot=1, urgent=False) -> Stored:
    fields = {**key(unit, boot, seq), "up": max(0, at)}
    fact = Urgent(**fields, gesture="hold") if urgent else Press(**fields)
    return Stored(unit, boot, seq, T + at, T + at, fact)


def shown(it: Floor, at: int = 0, online=ONLINE) -> dict[str, str]:
    return {desk.unit: desk.shown for room in it.view(T + at, online) for desk in room.desks}


def test_the_plan_blocks_the_middle_and_the_next_shift_blocks_the_ends():
    assert shown(floor()) == {"a": "free", "b": "blocked", "c": "free", "far": "free"}
    assert shown(floor(shift=1)) == {"a": "blocked", "b": "free", "c": "blocked", "far": "free"}


def test_the_shift_is_the_day_when_nothing_else_is_said():
    assert day_number(T + timeline.HORIZON_MS * 12) == day_number(T) + 1


def test_sitting_at_a_blocked_desk_is_a_conflict_there_and_nowhere_else():
    it = floor()
    it.fold([seat("b", 1, True)])
    assert shown(it) == {"a": "free", "b": "conflict", "c": "free", "far": "free"}


def test_a_unit_that_is_silent_or_was_never_seen_is_offline():
    assert set(shown(floor(), online={}).values()) == {"offline"}
    assert shown(floor(), online={**ONLINE, "a": False})["a"] == "offline"


def test_an_offline_desk_still_has_guidance():
    desk = floor().view(T, {})[0].desks[0]
    assert (desk.shown, desk.seat) == ("offline", "free")


def test_a_room_at_its_cap_closes_its_free_seats_and_opens_them_again():
    it = floor(cap=1)
    it.fold([seat("a", 1, True)])
    room = it.view(T, ONLINE)[0]
    assert (room.people, room.counts) == (1, {"taken": 1, "blocked": 1, "full": 2})
    it.fold([seat("a", 2, False, at=10)])
    assert shown(it, at=20)["far"] == "free"


def test_taps_are_answered_by_boot_and_sequence():
    answers = floor().fold([tap("a", 4, "a", boot=7)])
    assert [(a.unit, a.boot, a.seq, a.verdict) for a in answers] == [("a", 7, 4, "own")]


def test_one_person_is_not_at_two_desks_until_gone_from_the_first():
    it = floor()
    assert it.fold([tap("a", 1, "a")])[0].verdict == "own"
    assert it.fold([tap("far", 1, "a", at=5)])[0].verdict == "elsewhere"
    assert it.fold([tap("a", 2, "a", at=10)])[0].verdict == "goodbye"
    assert it.fold([tap("far", 2, "a", at=15)])[0].verdict == "own"


def test_the_away_limit_ends_a_stay_elsewhere_too():
    it = floor()
    it.fold([tap("a", 1, "a")])
    assert it.fold([tap("far", 1, "a", at=11 * MINUTE)])[0].verdict == "own"


def test_a_cleaner_makes_a_desk_ready():
    it = floor()
    it.fold([tap("a", 1, "a"), tap("a", 2, "a", at=10)])
    assert shown(it, at=11)["a"] == "dirty"
    assert it.fold([tap("a", 3, "b", at=12)])[0].verdict == "not-cleaned"
    assert it.fold([tap("a", 4, "c", at=13)])[0].verdict == "cleaned"
    assert shown(it, at=14)["a"] == "free"


def test_a_backlog_of_the_boot_before_does_not_undo_what_happens_now():
    it = floor()
    it.fold([seat("a", 2, True, at=1000, boot=2)])
    # Nobody counted between boots: these carry the time at which they arrived.
    it.fold([seat("a", 5, True, at=2000, boot=1), seat("a", 6, False, at=2000, boot=1)])
    assert shown(it, at=3000)["a"] == "taken"


def test_a_seat_change_that_overtakes_another_is_put_behind_it():
    it = floor()
    it.fold([seat("a", 2, False, at=200)])
    it.fold([seat("a", 1, True, at=100)])
    assert shown(it, at=300)["a"] == "free"
    assert shown(it, at=200 + 10 * MINUTE)["a"] == "dirty"


def test_a_late_fact_changes_what_followed_from_it_at_other_desks():
    it = floor()
    it.fold([tap("a", 1, "a", at=0), tap("far", 1, "a", at=100)])
    assert shown(it, at=150)["far"] == "free"  # elsewhere: not signed in
    # The goodbye at desk A, before the tap at the far desk, arrives last.
    it.fold([tap("a", 2, "a", at=50)])
    assert shown(it, at=150)["far"] == "reserved"


def test_only_new_taps_are_answered_when_the_past_is_put_in_order():
    it = floor()
    it.fold([tap("a", 2, "a", at=100)])
    answers = it.fold([seat("a", 1, True, at=50)])
    assert answers == []


def test_the_same_fact_twice_counts_once():
    it = floor()
    it.fold([tap("a", 1, "a")])
    assert it.fold([tap("a", 1, "a")]) == []
    assert shown(it)["a"] == "reserved"


def test_a_time_in_the_future_counts_as_the_time_of_arrival():
    it = floor()
    fact = Seat(**key("a", 1, 1), occupied=True)
    it.fold([Stored("a", 1, 1, T + 10**12, T, fact)])
    it.fold([seat("a", 2, False, at=10)])
    assert shown(it, at=20)["a"] == "free"


def test_facts_that_are_none_of_the_floors_business_change_nothing():
    it = floor()
    other = Seat(**key("stranger", 1, 1), occupied=True)
    it.fold(
        [
            Stored("stranger", 1, 1, T, T, other),
            Stored("a", 1, 1, T, T, Chip(**key("a", 1, 1), chip="radar", ok=False)),
            Stored("a", 1, 1, T, T, Press(**key("a", 1, 1))),
        ]
    )
    assert shown(it) == shown(floor())
    assert it.ignored == 1


def test_what_is_older_than_the_horizon_is_forgotten_and_the_state_stays():
    it = floor()
    it.fold([seat("far", 1, True)])
    for step in range(1, 10):
        it.fold([seat("a", step, step % 2 == 1, at=step * timeline.HORIZON_MS)])
    assert len(it._timeline._entries) <= 4
    assert shown(it, at=9 * timeline.HORIZON_MS)["far"] == "taken"


def test_a_long_lost_backlog_keeps_its_order_within_its_unit():
    it = floor()
    for step in range(1, 10):
        it.fold([seat("a", step, step % 2 == 1, at=step * timeline.HORIZON_MS)])
    long_ago = [seat("far", 1, True, at=5), seat("far", 2, False, at=6)]
    it.fold(long_ago[::-1])
    assert shown(it, at=9 * timeline.HORIZON_MS)["far"] == "dirty"
    assert it.late == 0
    it.fold([seat("a", 99, False, at=9 * timeline.HORIZON_MS + 1, boot=1)])
    it.fold([Stored("a", 1, 1, T, T, Seat(**key("a", 1, 1), occupied=True))])
    assert it.late == 1
    assert shown(it, at=9 * timeline.HORIZON_MS + 2)["a"] != "taken"


UNITS = ["a", "b", "far"]


@st.composite
def histories(draw):
    """Facts of three units with clocks that jump, restarts, presses, and three people's tags."""
    facts = []
    for unit in UNITS:
        boot, seq = 1, 0
        for _ in range(draw(st.integers(0, 9))):
            if draw(st.integers(0, 4)) == 0:
                boot, seq = boot + 1, 0
            seq += 1
            at = draw(st.integers(0, 40)) * MINUTE
            if draw(st.booleans()):
                facts.append(seat(unit, seq, draw(st.booleans()), at=at, boot=boot))
            else:
                tag = draw(st.sampled_from("abcd"))
                facts.append(tap(unit, seq, tag, at=at, boot=boot))
        minutes = draw(st.lists(st.integers(0, 40), max_size=3))
        facts += [press(unit, seq, at=at * MINUTE) for seq, at in enumerate(minutes, 1)]
    return facts


@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_floor_is_the_same_whatever_the_order_and_the_portions_of_arrival(facts, chance, size):
    straight = floor()
    straight.fold(facts)
    shuffled = facts[:]
    chance.shuffle(shuffled)
    mixed = floor()
    for start in range(0, len(shuffled), size):
        mixed.fold(shuffled[start : start + size])
    for at in (0, 20 * MINUTE, 45 * MINUTE):
        assert [mixed.desk(u, T + at) for u in UNITS] == [straight.desk(u, T + at) for u in UNITS]
    assert straight.withdrawals <= mixed.withdrawals


@pytest.mark.parametrize("urgent", [False, True])
def test_a_withdrawal_names_the_last_report_whatever_arrives_first(urgent):
    facts = [tap("a", 1, "a"), press("a", 1, at=900)]
    facts += [press("a", 2, at=1_000, urgent=True)] if urgent else []
    facts.append(tap("a", 2, "a", at=9_000))
    for order in itertools.permutations(facts):
        it = floor()
        for fact in order:
            it.fold([fact])
        assert Withdrawal("a", 1, 2 if urgent else 1, T + 9_000) in it.withdrawals
        assert it.desk("a", T + 9_000).holder == 1


def test_a_press_says_nothing_about_the_seat_and_blocks_nothing():
    it = floor()
    before = shown(it)
    it.fold([press("a", 1), press("b", 1)])
    assert shown(it) == before


def test_recomputing_a_day_of_facts_gives_the_state_that_was_reached_live():
    chance = random.Random(4)
    facts, at = [], 0
    for seq in range(1, 2000):
        at += chance.randrange(60_000)
        unit = chance.choice(UNITS)
        made = seat if chance.random() < 0.6 else tap
        what = chance.random() < 0.5 if made is seat else chance.choice("abcd")
        facts.append(made(unit, seq, what, at=at + chance.randrange(-5000, 5000)))
    live, again = floor(), floor()
    for fact in facts:
        live.fold([fact])
    for start in range(0, len(facts), 100):
        again.fold(facts[start : start + 100])
    assert [live.desk(u, T + at) for u in UNITS] == [again.desk(u, T + at) for u in UNITS]


@pytest.mark.parametrize("badge_in", ["headset", "badge-then-headset"])
def test_a_site_without_rooms_has_an_empty_floor(badge_in):
    it = Floor(Site(badge_in=badge_in), REGISTER.get)
    assert it.fold([tap("a", 1, "a")]) == []
    assert it.view(T, {}) == ()
