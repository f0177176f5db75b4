"""What the log says of dead letters."""

import pytest

from host_bridge.relay.letters import SAY_S, Letters


def test_the_first_is_written_about_at_once_and_those_that_follow_together(
    caplog: pytest.LogCaptureFixture,
) -> None:
    letters = Letters()
    letters.add(0, 100.0)
    assert caplog.messages == []
    letters.add(1, 100.0)
    letters.add(5, 101.0)
    letters.add(7, 100.0 + SAY_S / 2)
    assert [each.split()[0] for each in caplog.messages] == ["1"]
    letters.say(100.0 + SAY_S)
    letters.say(200.0)
    assert [each.split()[0] for each in caplog.messages] == ["1", "12"]


def test_nothing_is_left_unsaid_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    letters = Letters()
    letters.add(1, 100.0)
    letters.add(3, 100.5)
    letters.say(101.0, last=True)
    assert [each.split()[0] for each in caplog.messages] == ["1", "3"]
