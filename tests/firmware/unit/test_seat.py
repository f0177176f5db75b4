"""The seat's occupancy."""

from desk_unit.seat import Seat


def seat_changes(spans, until):
    """(time, occupied) of the changes for presence in `spans`, one reading every 100 ms."""
    seat = Seat()
    changes = []
    for now in range(0, until, 100):
        present = any(start <= now < end for start, end in spans)
        if seat.feed(present, now):
            changes.append((now, seat.occupied))
    return changes


def test_empty_seat_is_reported_vacant_once():
    changes = seat_changes([], 60_000)
    assert [occupied for _, occupied in changes] == [False]


def test_somebody_who_sits_down_and_leaves_is_two_facts():
    changes = seat_changes([(20_000, 40_000)], 80_000)[1:]
    assert [occupied for _, occupied in changes] == [True, False]
    assert 22_000 <= changes[0][0] <= 22_300
    assert 50_000 <= changes[1][0] <= 50_300


def test_somebody_who_walks_past_is_none():
    assert len(seat_changes([(20_000, 21_500)], 60_000)) == 1


def test_sitting_still_for_some_seconds_does_not_vacate_the_seat():
    changes = seat_changes([(20_000, 30_000), (38_000, 60_000)], 60_000)[1:]
    assert [occupied for _, occupied in changes] == [True]


def test_sensors_that_can_not_tell_make_occupancy_unknown():
    seat = Seat()
    for now in range(0, 5_000, 100):
        seat.feed(True, now)
    assert seat.occupied is True
    assert not seat.feed(None, 5_000)
    assert seat.occupied is None
