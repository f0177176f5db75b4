from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from host_bridge.domain.night import is_night

ROME = ZoneInfo("Europe/Rome")


def at(hour: int, month: int = 1) -> int:
    return int(datetime(2026, month, 15, hour, 30, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("utc_hour", "night"), [(18, False), (19, True), (23, True), (5, True), (6, False), (12, False)]
)
def test_night_goes_across_midnight_in_local_time(utc_hour, night):
    assert is_night(at(utc_hour), ROME, (20, 7)) is night


def test_summer_time_moves_the_night():
    assert is_night(at(19, month=7), ROME, (21, 7))
    assert not is_night(at(19, month=1), ROME, (21, 7))


def test_a_night_within_one_day_and_no_night_at_all():
    assert is_night(at(3), UTC, (2, 5))
    assert not is_night(at(5), UTC, (2, 5))
    assert not is_night(at(3), UTC, None)
    assert not is_night(at(3), UTC, (3, 3))
