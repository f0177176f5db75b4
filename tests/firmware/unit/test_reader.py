"""Tags on the reader, and taps that wait for a verdict."""

from desk_unit.reader import ABSENT_POLLS, Presence


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
