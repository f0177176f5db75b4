"""Filters and the seat's occupancy."""

from desk_unit.seat import Delay, Seat, Settle


def run(stage, readings):
    """Output at each (time, value)."""
    return [stage.feed(value, now) for now, value in readings]


def test_delay_on_holds_back_a_rise_and_passes_a_fall_at_once():
    readings = [(0, False), (10, True), (59, True), (60, True), (70, False), (80, True)]
    assert run(Delay(True, 50), readings) == [False, False, False, True, False, False]


def test_delay_off_holds_back_a_fall_and_passes_a_rise_at_once():
    readings = [(0, True), (10, False), (59, False), (60, False), (70, True), (80, False)]
    assert run(Delay(False, 50), readings) == [True, True, True, False, True, True]


def test_settle_ignores_what_flickers():
    readings = [(0, False), (50, False), (60, True), (80, False), (90, True), (139, True)]
    readings += [(140, True), (150, False), (190, True)]
    assert run(Settle(50), readings) == [None, False, False, False, False, False, True, True, True]


def test_unknown_passes_every_filter_at_once():
    for stage in (Delay(True, 50), Delay(False, 50), Settle(50)):
        run(stage, [(0, True), (100, True)])
        assert stage.feed(None, 110) is None


def test_delay_is_not_fooled_by_ticks_that_wrap():
    stage = Delay(True, 50)
    stage.feed(True, 0)
    assert stage.feed(True, 60)
    assert stage.feed(True, (1 << 29) + 100)  # ticks_diff would be negative by then


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


def test_broken_radar_makes_occupancy_unknown():
    seat = Seat()
    for now in range(0, 5_000, 100):
        seat.feed(True, now)
    assert seat.occupied is True
    assert not seat.feed(None, 5_000)
    assert seat.occupied is None
