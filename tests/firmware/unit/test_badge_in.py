"""What the unit makes of a tap on its own, and which taps it helps itself with."""

from desk_unit.badge_in import WITHDRAW_MS, BadgeIn
from desk_unit.known import Known
from desk_unit.taps import OFFLINE_MS, PATIENCE_MS, Taps

HOUR = 490_000
MINE, YOURS, CLEANER, BADGE, NOBODY = [bytes((n,)) * 16 for n in range(1, 6)]


def desk():
    it = BadgeIn(Known(None, b"12345678"))
    for digest, word in ((MINE, "own"), (MINE, "goodbye"), (YOURS, "own"), (YOURS, "goodbye")):
        it.heard(digest, word, HOUR)
    it.heard(CLEANER, "cleaned", HOUR)
    it.heard(BADGE, "badge", HOUR)
    return it


def guess(it, digest, now=0, badge_first=False):
    return it.guess(digest, now, HOUR, badge_first)


def test_a_tag_that_the_host_never_judged_is_provisional():
    assert guess(desk(), NOBODY) == "provisional"
    assert guess(BadgeIn(Known(None, b"12345678")), MINE) == "provisional"


def test_a_headset_signs_in_and_out_without_the_host():
    it = desk()
    assert [guess(it, MINE) for _ in range(3)] == ["own", "goodbye", "own"]


def test_another_headset_at_a_held_desk_is_not_yours():
    it = desk()
    assert [guess(it, MINE), guess(it, YOURS), guess(it, MINE)] == ["own", "not-yours", "goodbye"]


def test_a_cleaners_card_works_without_the_host():
    it = desk()
    assert guess(it, CLEANER) == "cleaned"
    assert guess(it, MINE) == "own"
    assert guess(it, CLEANER) == "cleaned"


def test_a_tag_that_has_become_unknown_opens_nothing_any_more():
    it = desk()
    it.heard(MINE, "unknown", HOUR)
    assert guess(it, MINE) == "provisional"


def test_verdicts_that_depend_on_others_teach_nothing():
    it = BadgeIn(Known(None, b"12345678"))
    for word in ("not-yours", "elsewhere", "not-cleaned", "badge-first", "enrolled"):
        it.heard(MINE, word, HOUR)
        assert guess(it, MINE) == "provisional"


def test_guidance_that_says_nobody_is_here_ends_a_stay():
    for word in ("free", "dirty", "full"):
        it = desk()
        assert guess(it, MINE) == "own"
        it.guided("taken")
        it.guided(word)
        assert guess(it, YOURS) == "own"


def test_where_badges_are_asked_for_a_headset_alone_is_told_so_and_is_never_proved():
    it = desk()
    assert guess(it, MINE, 0, True) == "badge-first"
    assert guess(it, BADGE, 10, True) == "badge"
    assert guess(it, MINE, 20, True) == "provisional"
    assert guess(it, MINE, 30_011, True) == "badge-first"


def test_only_the_own_headset_withdraws_and_only_within_two_minutes():
    it = desk()
    it.heard(MINE, "own", HOUR)
    it.pressed(1_000)
    assert guess(it, YOURS, 2_000) == "not-yours"
    assert guess(it, CLEANER, 2_000) == "cleaned"
    assert guess(it, MINE, 1_000 + WITHDRAW_MS) == "withdrawn"
    assert guess(it, MINE, 1_000 + WITHDRAW_MS) == "goodbye"
    it.heard(MINE, "own", HOUR)
    it.pressed(1_000)
    assert guess(it, MINE, 1_001 + WITHDRAW_MS) == "goodbye"


def test_a_tap_is_overdue_once_and_still_has_its_hash_for_a_late_verdict():
    taps = Taps()
    taps.tapped(5, 1_000, MINE)
    assert taps.overdue(999 + PATIENCE_MS) is None
    assert taps.overdue(1_000 + PATIENCE_MS) == (5, MINE)
    assert taps.overdue(9_000) is None
    assert taps.answered(5) == (True, MINE)
    assert taps.answered(5) == (True, b"")


def test_without_a_connection_nobody_waits_for_a_verdict():
    taps = Taps()
    taps.tapped(5, 1_000, MINE)
    assert taps.overdue(1_000 + OFFLINE_MS, OFFLINE_MS) == (5, MINE)


def test_an_answered_tap_is_never_overdue():
    taps = Taps()
    taps.tapped(4, 1_000, MINE)
    taps.answered(4)
    assert taps.overdue(9_000) is None


def test_a_verdict_older_than_the_one_shown_is_not_shown_but_teaches():
    taps = Taps()
    taps.tapped(5, 0, MINE)
    taps.tapped(6, 10, YOURS)
    assert taps.answered(6) == (True, YOURS)
    assert taps.answered(5) == (False, MINE)


def test_taps_that_wait_are_bounded():
    taps = Taps()
    for seq in range(1, 100):
        taps.tapped(seq, 0, MINE)
    assert taps.answered(1) == (True, b"")
    assert taps.answered(99) == (True, MINE)
