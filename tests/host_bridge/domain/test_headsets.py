from dataclasses import dataclass, replace

import pytest

from host_bridge.domain.desk import Badge, Desk, Pressed
from host_bridge.domain.headsets import BADGE_WAITS_MS, WITHDRAW_MS, Tap, decide

T = 1_800_000_000_000
ANNA, BEA = 1, 2


@dataclass
class Record:
    kind: str
    person: int | None
    status: str = "issued"


HEADSET = Record("headset", ANNA)
BADGE = Record("badge", ANNA)
CLEANER = Record("cleaner", None)


def verdict(desk=None, record=HEADSET, badge_in="headset", **tap):
    return decide(desk or Desk(), Tap(record, T, **tap), badge_in)


def test_ones_own_headset_at_a_ready_desk_signs_in():
    word, desk = verdict()
    assert word == "own"
    assert (desk.holder, desk.held_since, desk.used) == (ANNA, T, True)


def test_a_tag_that_nobody_registered_is_unknown_and_changes_nothing():
    assert verdict(record=None) == ("unknown", Desk())


@pytest.mark.parametrize("status", ["lost", "returned", "anything-else"])
@pytest.mark.parametrize("record", [HEADSET, BADGE, CLEANER])
def test_a_lost_or_returned_tag_opens_nothing(record, status):
    dirty = Desk(dirty=True)
    assert verdict(dirty, replace(record, status=status)) == ("unknown", dirty)


def test_a_headset_that_belongs_to_nobody_is_unknown():
    assert verdict(record=Record("headset", None))[0] == "unknown"


def test_somebody_elses_headset_at_a_held_desk_is_not_yours_and_the_holder_stays():
    held = Desk(holder=ANNA, used=True)
    assert verdict(held, Record("headset", BEA)) == ("not-yours", held)


def test_tapping_again_says_goodbye_and_leaves_the_desk_dirty():
    word, desk = verdict(Desk(holder=ANNA, used=True, occupied=True))
    assert word == "goodbye"
    assert (desk.holder, desk.dirty, desk.used) == (None, True, False)


def test_the_badge_of_the_person_who_is_signed_in_says_goodbye_too():
    assert verdict(Desk(holder=ANNA, used=True), BADGE)[0] == "goodbye"


def test_a_person_signed_in_at_another_desk_is_told_elsewhere():
    assert verdict(elsewhere=True) == ("elsewhere", Desk())


def test_a_desk_dirty_from_somebody_else_is_refused_until_cleaned():
    dirty = Desk(dirty=True, last_person=BEA)
    assert verdict(dirty) == ("not-cleaned", dirty)
    word, ready = verdict(dirty, CLEANER)
    assert (word, ready.dirty) == ("cleaned", False)
    assert verdict(ready)[0] == "own"


def test_one_may_come_back_to_ones_own_dirt():
    assert verdict(Desk(dirty=True, last_person=ANNA))[0] == "own"


def test_a_desk_left_dirty_by_an_unknown_sitter_is_refused_to_everybody():
    assert verdict(Desk(dirty=True))[0] == "not-cleaned"


def test_a_cleaners_card_does_not_end_a_stay():
    word, desk = verdict(Desk(holder=ANNA, used=True), CLEANER)
    assert (word, desk.holder, desk.used) == ("cleaned", ANNA, True)


def test_a_badge_is_followed_by_the_same_persons_headset():
    word, waiting = verdict(record=BADGE, badge_in="badge-then-headset")
    assert (word, waiting.badge) == ("badge", Badge(ANNA, T))
    word, desk = verdict(waiting, badge_in="badge-then-headset")
    assert (word, desk.holder, desk.badge) == ("own", ANNA, None)


def test_a_badge_does_not_make_another_persons_headset_ones_own():
    waiting = Desk(badge=Badge(ANNA, T - 1))
    for mode in ("headset", "badge-then-headset"):
        assert verdict(waiting, Record("headset", BEA), mode) == ("not-yours", waiting)


def test_without_a_badge_no_headset_is_proved_to_be_ones_own_where_badges_are_asked_for():
    assert verdict(badge_in="badge-then-headset")[0] == "badge-first"


@pytest.mark.parametrize(
    ("waited", "word"),
    [(BADGE_WAITS_MS, "own"), (BADGE_WAITS_MS + 1, "badge-first"), (-1, "badge-first")],
)
def test_a_badge_counts_for_thirty_seconds(waited, word):
    waiting = Desk(badge=Badge(ANNA, T - waited))
    assert verdict(waiting, badge_in="badge-then-headset")[0] == word


PRESSED = Desk(holder=ANNA, used=True, pressed=Pressed(7, 3, 1_000))


def test_the_own_headset_withdraws_within_two_minutes_and_the_stay_goes_on():
    word, desk = verdict(PRESSED, boot=7, up=1_000 + WITHDRAW_MS)
    assert (word, desk.holder, desk.dirty, desk.pressed) == ("withdrawn", ANNA, False, None)
    assert verdict(desk, boot=7, up=2_000 + WITHDRAW_MS)[0] == "goodbye"


@pytest.mark.parametrize(
    "tap",
    [
        {"boot": 7, "up": 1_001 + WITHDRAW_MS},
        {"boot": 7, "up": 999},
        {"boot": 8, "up": 1_001},
    ],
)
def test_later_earlier_or_in_another_boot_it_is_a_leave(tap):
    assert verdict(PRESSED, **tap)[0] == "goodbye"


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (Record("headset", BEA), "not-yours"),
        (Record("badge", BEA), "not-yours"),
        (Record("badge", ANNA), "goodbye"),
        (CLEANER, "cleaned"),
        (None, "unknown"),
        (Record("headset", ANNA, "lost"), "unknown"),
    ],
)
def test_nothing_but_the_own_headset_withdraws(record, word):
    found, desk = verdict(PRESSED, record, boot=7, up=2_000)
    assert (found, desk.pressed) == (word, PRESSED.pressed)


def test_nobody_withdraws_at_a_desk_where_nobody_is_signed_in():
    free = Desk(pressed=Pressed(7, 3, 1_000))
    assert verdict(free, boot=7, up=2_000)[0] == "own"
