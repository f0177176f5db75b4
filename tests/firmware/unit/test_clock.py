"""Time that neither wraps nor runs backwards, and the host's clock."""

from desk_unit.clock import HOST, NONE, SNTP, Uptime, WallClock
from port import const

_PERIOD = const(1 << 30)
NOON = 1_800_000_000_000


class Ticks:
    """A counter that wraps as the ESP32's does."""

    def __init__(self, start=0):
        self.value = start

    def __call__(self):
        return self.value % _PERIOD

    @staticmethod
    def diff(end, start):
        return (end - start + _PERIOD // 2) % _PERIOD - _PERIOD // 2


def clocks(start=0):
    ticks = Ticks(start)
    uptime = Uptime(ticks, ticks.diff)
    return ticks, uptime, WallClock(uptime)


def test_uptime_goes_on_when_ticks_wrap():
    ticks, uptime, _ = clocks(_PERIOD - 500)
    ticks.value += 1_000
    assert uptime.now() == 1_000
    for day in range(1, 61):
        ticks.value += 86_400_000
        assert uptime.now() == 1_000 + day * 86_400_000


def test_uptime_survives_six_days_between_calls():
    ticks, uptime, _ = clocks(123)
    ticks.value += 6 * 86_400_000
    assert uptime.now() == 6 * 86_400_000


def test_wall_clock_is_unknown_until_the_host_has_spoken():
    _, _, wall = clocks()
    assert wall.quality == NONE
    assert wall.at(5) == 0


def test_least_delayed_message_wins():
    ticks, _, wall = clocks()
    ticks.value = 1_000
    wall.learn(NOON)
    ticks.value = 2_000
    wall.learn(NOON + 1_000 - 300)  # 300 ms late
    assert wall.quality == HOST
    assert wall.at(2_000) == NOON + 1_000
    wall.learn(NOON + 1_000 + 40)  # faster than any before
    assert wall.at(2_000) == NOON + 1_040


def test_unbelievable_times_are_ignored():
    _, _, wall = clocks()
    for time in (0, -1, 1_699_999_999_999, 4_102_444_800_001):
        wall.learn(time)
    assert wall.quality == NONE


def test_clock_follows_a_drift_of_50_ppm():
    ticks, _, wall = clocks()
    wall.learn(NOON)
    ticks.value = 10_000_000
    wall.learn(NOON + 10_000_000 - 500)  # the unit's crystal is 50 ppm fast
    assert wall.at(10_000_000) == NOON + 10_000_000 - 500


def test_host_clock_that_was_set_back_is_believed_the_third_time():
    ticks, _, wall = clocks()
    wall.learn(NOON)
    for seconds in (1, 2):
        ticks.value = seconds * 1000
        wall.learn(NOON - 3_600_000 + seconds * 1000)
        assert wall.at(0) == NOON
    ticks.value = 3_000
    wall.learn(NOON - 3_600_000 + 3_000)
    assert wall.at(0) == NOON - 3_600_000


def test_one_late_message_does_not_set_the_clock_back():
    ticks, _, wall = clocks()
    wall.learn(NOON)
    for _ in range(10):
        ticks.value += 1_000
        wall.learn(NOON + ticks.value - 90_000)
        ticks.value += 1_000
        wall.learn(NOON + ticks.value)
    assert wall.at(0) == NOON


def test_times_before_the_first_message_are_worked_out_backwards():
    ticks, _, wall = clocks()
    ticks.value = 60_000
    wall.learn(NOON)
    assert wall.at(10_000) == NOON - 50_000


YEAR = 365 * 86_400_000


def test_host_clock_that_jumps_by_years_is_believed_the_third_time_either_way():
    for jump in (10 * YEAR, -3 * YEAR):
        ticks, _, wall = clocks()
        wall.learn(NOON)
        for second in (1, 2, 3):
            assert wall.at(0) == NOON
            ticks.value = second * 1000
            wall.learn(NOON + jump + second * 1000)
        assert wall.at(0) == NOON + jump


def test_times_that_jump_about_never_move_the_clock():
    ticks, _, wall = clocks()
    wall.learn(NOON)
    for second in range(1, 50):
        ticks.value = second * 1000
        wall.learn(NOON + (second % 7 - 3) * YEAR + second * 1000)
        if second % 7 == 3:
            assert wall.at(0) == NOON
    assert wall.at(0) == NOON


def test_sntp_counts_more_than_late_messages_and_wears_off_after_four_hours():
    ticks, _, wall = clocks()
    wall.learn(NOON - 900)
    ticks.value = 1_000
    assert wall.learn_exact(NOON + 1_000, 1_000)
    assert wall.quality == SNTP
    wall.learn(NOON + 1_000 + 400)
    assert wall.at(0) == NOON
    ticks.value = 4 * 3_600_000 + 1_000
    assert wall.quality == HOST
    wall.learn(NOON + ticks.value + 400)
    assert wall.at(0) == NOON + 400


def test_sntp_that_contradicts_the_host_is_not_believed():
    _, _, wall = clocks()
    wall.learn(NOON)
    assert not wall.learn_exact(NOON + YEAR, 0)
    assert wall.disputed
    assert (wall.quality, wall.at(0)) == (HOST, NOON)
    assert wall.learn_exact(NOON + 200, 0)
    assert not wall.disputed


def test_sntp_that_lied_before_the_host_spoke_is_found_out():
    ticks, _, wall = clocks()
    assert wall.learn_exact(NOON - YEAR, 0)
    for second in (1, 2, 3):
        ticks.value = second * 1000
        wall.learn(NOON + second * 1000)
    assert (wall.quality, wall.at(0)) == (HOST, NOON)
    assert wall.disputed


def test_clock_never_leaves_the_times_that_the_contract_allows():
    _, _, wall = clocks()
    wall.learn(4_102_444_800_000)
    assert wall.at(10**12) == 4_102_444_800_000
