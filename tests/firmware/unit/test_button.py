"""The button's debounce, sampled as the unit does: at an edge, then every 5 ms."""

from desk_unit.button import HOLD, PRESS, THREE, Debounce


def play(wave, until=10_000):
    """Events as (time, event) for a contact that changes at the times in `wave`, open at first."""
    debounce = Debounce()
    events = []
    changes = list(wave)
    closed = False
    now = 0
    while now < until:
        edges = [at for at in changes if at <= now]
        if edges:
            changes = [at for at in changes if at > now]
            closed = bool((len(wave) - len(changes)) % 2)
        event = ""
        if debounce.active:
            event = debounce.sample(closed, now)
        elif edges:
            event = debounce.edge(closed, edges[0], now)
        if event:
            events.append((now, event))
        now += 5 if debounce.active else 1
    return events


def names(wave):
    return [event for _, event in play(wave)]


def test_clean_press_is_reported_within_15_ms():
    events = play([100, 300])
    assert [event for _, event in events] == [PRESS]
    assert events[0][0] <= 115


def test_bouncing_press_is_one_press_within_50_ms():
    for length in range(2, 31, 2):
        bounce = list(range(100, 100 + length))
        if len(bounce) % 2 == 0:
            bounce.append(100 + length)  # ends closed
        bounce.append(400)
        events = play(bounce)
        assert [event for _, event in events] == [PRESS], length
        assert events[0][0] <= 150, length


def test_bounce_on_release_is_no_second_press():
    for gap in (1, 2, 4, 7):
        release = list(range(300, 328, gap))
        if len(release) % 2 == 0:
            release.append(328)
        release.insert(0, 100)
        assert names(release) == [PRESS], gap


def test_glitch_shorter_than_10_ms_is_no_press():
    assert names([100, 103]) == []
    assert names([100, 104, 200, 204, 300, 304]) == []


def test_short_tap_of_20_ms_is_a_press():
    assert names([100, 120]) == [PRESS]


def test_two_presses_are_two():
    assert names([100, 200, 2_000, 2_100]) == [PRESS, PRESS]


def test_hold_of_two_seconds_is_urgent_once():
    events = play([100, 6_000])
    assert [event for _, event in events] == [PRESS, HOLD]
    assert 2_100 <= events[1][0] <= 2_110


def test_three_presses_within_1500_ms_are_urgent():
    assert names([100, 200, 500, 600, 1_000, 1_100]) == [PRESS, PRESS, THREE]


def test_three_slow_presses_are_not_urgent():
    assert names([100, 200, 1_000, 1_100, 2_000, 2_100]) == [PRESS, PRESS, PRESS]


def test_hammering_reports_urgent_again_only_after_three_more():
    wave = []
    for i in range(6):
        wave += [100 + 200 * i, 200 + 200 * i]
    assert names(wave) == [PRESS, PRESS, THREE, PRESS, PRESS, THREE]


def test_press_that_was_over_while_the_program_was_busy_counts():
    debounce = Debounce()
    assert debounce.edge(False, 1_000, 1_045) == PRESS
    assert debounce.began == 1_000


def test_press_that_opened_while_the_program_was_busy_counts_though_it_was_seen_to_begin():
    debounce = Debounce()
    assert debounce.edge(True, 1_000, 1_001) == ""
    assert debounce.sample(False, 1_046) == PRESS
    assert debounce.began == 1_000
    assert debounce.sample(False, 1_051) == debounce.sample(False, 1_081) == ""
    assert not debounce.active


def test_glitch_that_is_looked_at_in_time_does_not_count():
    debounce = Debounce()
    assert debounce.edge(True, 1_000, 1_001) == ""
    assert debounce.sample(False, 1_006) == ""
    assert not debounce.active


def test_glitch_seen_at_once_does_not_count():
    debounce = Debounce()
    assert debounce.edge(False, 1_000, 1_002) == ""
    assert not debounce.active


def test_press_time_is_that_of_the_first_contact():
    debounce = Debounce()
    debounce.edge(True, 1_000, 1_001)
    assert debounce.sample(True, 1_011) == PRESS
    assert debounce.began == 1_000
