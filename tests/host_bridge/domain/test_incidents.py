from dataclasses import dataclass, fields
from itertools import count

import pytest

from host_bridge.contract.facts import AnyFact, Press, Urgent
from host_bridge.domain.incidents import WINDOW_MS, Incident, fold

T = 1_800_000_000_000
_ids = count(1)


@dataclass(frozen=True)
class Report:
    id: int
    unit: str
    boot: int
    seq: int
    time_ms: int
    sure: str
    fact: AnyFact


@dataclass(frozen=True)
class Record:
    unit: str
    boot: int
    seq: int
    word: str


def press(seq, at=0, *, unit="a", boot=1, urgent=False, drill=False, sure="age", time=None):
    key = {"unit": unit, "boot": boot, "seq": seq, "up": at, "drill": drill}
    fact = Urgent(**key, gesture="hold") if urgent else Press(**key)
    return Report(next(_ids), unit, boot, seq, T + at if time is None else time, sure, fact)


def states(reports, records=()):
    return [incident.state for incident in fold(reports, records)]


def test_a_press_is_a_new_incident():
    (incident,) = fold([press(1)], [])
    assert (incident.state, incident.urgent, incident.drill) == ("new", False, False)
    assert (incident.unit, incident.time_ms, incident.boot, incident.seq) == ("a", T, 1, 1)


def test_hammering_is_one_incident_however_often():
    (incident,) = fold([press(seq, seq * 100) for seq in range(1, 60)], [])
    assert (incident.time_ms, incident.seq) == (T + 100, 59)


def test_a_press_after_the_window_is_another_incident():
    assert len(fold([press(1), press(2, WINDOW_MS)], [])) == 1
    assert len(fold([press(1), press(2, WINDOW_MS + 1)], [])) == 2


def test_presses_of_two_desks_never_mix():
    assert len(fold([press(1), press(1, unit="b")], [])) == 2


def test_an_urgent_gesture_raises_the_whole_incident():
    (incident,) = fold([press(1), press(2, 2_000, urgent=True), press(3, 9_000)], [])
    assert incident.urgent


def test_practice_and_earnest_are_never_one_incident():
    found = fold([press(1, drill=True), press(2, 500), press(3, 900, drill=True)], [])
    assert [incident.drill for incident in found] == [True, False, True]


def test_the_order_of_arrival_does_not_matter_and_the_id_is_the_first_committed():
    reports = [press(seq, seq * 1_000) for seq in range(1, 6)]
    forwards = fold(reports, [])
    assert fold(reversed(reports), []) == forwards
    assert forwards[0].id == reports[0].id


def test_heard_covers_the_incident_until_somebody_presses_again():
    heard = [Record("a", 1, 2, "heard")]
    assert states([press(1), press(2, 500)], heard) == ["heard"]
    assert states([press(1), press(2, 500), press(3, 900)], heard) == ["new"]
    assert states(
        [press(1), press(2, 500), press(3, 900)], [*heard, Record("a", 1, 3, "heard")]
    ) == ["heard"]


def test_hearing_one_incident_says_nothing_about_an_earlier_one():
    reports = [press(1), press(2, WINDOW_MS * 2)]
    assert states(reports, [Record("a", 1, 2, "heard")]) == ["new", "heard"]


def test_a_press_after_a_withdrawal_is_a_new_incident():
    gone = [Record("a", 1, 1, "withdrawn")]
    assert states([press(1)], gone) == ["withdrawn"]
    assert states([press(1), press(2, 500)], gone) == ["withdrawn", "new"]


def test_a_withdrawal_stands_beside_the_record_that_it_was_heard():
    both = [Record("a", 1, 1, "heard"), Record("a", 1, 1, "withdrawn")]
    assert states([press(1)], both) == ["withdrawn"]


def test_a_restart_between_two_presses_does_not_part_them_when_their_times_are_known():
    reports = [press(1, time=T), press(1, boot=2, time=T + 30_000)]
    assert len(fold(reports, [])) == 1


@pytest.mark.parametrize("unsure", [0, 1])
def test_presses_whose_time_nobody_knows_are_not_put_together_across_a_restart(unsure):
    sure = ["clock", "clock"]
    sure[unsure] = "arrival"
    reports = [press(1, sure=sure[0]), press(1, boot=2, sure=sure[1])]
    assert len(fold(reports, [])) == 2


def test_presses_hours_apart_that_arrived_together_are_two_incidents():
    # Both left behind by an earlier boot without a clock: only its uptime tells them apart.
    hours = 3 * 3_600_000
    reports = [press(1, 0, sure="arrival", time=T), press(2, hours, sure="arrival", time=T)]
    assert len(fold(reports, [])) == 2


def test_an_incident_names_nobody_and_counts_nothing():
    names = {field.name for field in fields(Incident)}
    assert names == {
        "id", "unit", "time_ms", "sure", "boot", "seq", "urgent", "drill", "state",
    }  # fmt: skip
