"""Tags on the reader, and taps that wait for a verdict."""

from desk_unit.reader import ABSENT_POLLS, Presence
from desk_unit.taps import Taps


def test_tag_is_presented_once_however_often_it_is_polled():
    presence = Presence()
    assert presence.poll([b"a"]) == [b"a"]
    for _ in range(50):
        assert presence.poll([b"a"]) == []


def test_missed_poll_is_no_new_presentation():
    presence = Presence()
    presence.poll([b"a"])
    for _ in range(20):
        for _ in range(ABSENT_POLLS - 1):
            assert presence.poll([]) == []
        assert presence.poll([b"a"]) == []


def test_tag_that_left_is_presented_again():
    presence = Presence()
    presence.poll([b"a"])
    for _ in range(ABSENT_POLLS):
        presence.poll([])
    assert presence.poll([b"a"]) == [b"a"]


def test_several_tags_are_each_presented():
    presence = Presence()
    assert presence.poll([b"a", b"b"]) == [b"a", b"b"]
    assert presence.poll([b"b", b"c"]) == [b"c"]


def test_memory_for_tags_is_bounded():
    presence = Presence()
    tags = [bytes([i]) for i in range(100)]
    assert len(presence.poll(tags)) == 8
    assert presence.poll(tags) == []


def test_tap_without_a_verdict_is_overdue_once_after_1500_ms():
    taps = Taps()
    taps.tapped(4, 1_000)
    assert taps.overdue(2_499) == 0
    assert taps.overdue(2_500) == 4
    assert taps.overdue(9_000) == 0


def test_answered_tap_is_never_overdue():
    taps = Taps()
    taps.tapped(4, 1_000)
    assert taps.answered(4)
    assert taps.overdue(9_000) == 0


def test_late_verdict_is_shown_but_not_after_a_newer_one():
    taps = Taps()
    taps.tapped(4, 0)
    taps.overdue(2_000)
    assert taps.answered(4)
    assert taps.answered(9)
    assert not taps.answered(4)
