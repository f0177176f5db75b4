"""How stories are told: order, time, chance, and what a failure says."""

from pathlib import Path

from tests.sim.scenario.paper import Paper, told


def test_an_expectation_that_is_not_met_says_line_expected_and_seen(tmp_path: Path) -> None:
    failures, _, record = told(
        tmp_path, "  - wait 1s\n  - within 2s: the display of A1 is STORED\n  - wait 1s\n"
    )
    (failure,) = failures
    assert failure.line == 6
    assert failure.expected == "within 2s: the display of A1 is STORED"
    assert failure.seen == "the display says FREE"
    last = record.events[-1]
    assert (last.kind, last.desk, last.line) == ("failed", "A1", 6)
    assert 3.0 <= last.at < 3.2


def test_within_waits_until_it_is_true_and_then_goes_on(tmp_path: Path) -> None:
    paper = Paper()
    paper.a1.says = lambda now: "STORED" if now > 1 else "SENT"
    steps = "  - within 5s: the display of A1 is STORED\n  - Anna sits down at A1\n"
    failures, log, _ = told(tmp_path, steps, paper)
    assert failures == []
    (did,) = log
    assert 1.0 <= float(did.split()[0]) < 1.2


def test_for_fails_as_soon_as_it_is_no_longer_true(tmp_path: Path) -> None:
    paper = Paper()
    paper.a1.says = lambda now: "STORED" if now > 1 else "SENT"
    failures, *_ = told(tmp_path, "  - for 3s: the display of A1 is SENT\n", paper)
    assert [failure.seen for failure in failures] == ["the display says STORED"]
    assert paper.clock.now() < 1.5


def test_an_expectation_without_a_time_is_looked_at_at_once(tmp_path: Path) -> None:
    paper = Paper()
    paper.a1.says = lambda now: "STORED" if now > 0.5 else "SENT"
    failures, *_ = told(tmp_path, "  - the display of A1 is STORED\n", paper)
    assert len(failures) == 1


def test_never_ends_the_story_at_the_moment_in_which_it_happens(tmp_path: Path) -> None:
    paper = Paper()
    paper.a1.says = lambda now: "STORED" if 2 < now < 3 else "SENT"
    steps = "  - never: the display of A1 is STORED\n  - wait 10s\n"
    failures, *_ = told(tmp_path, steps, paper)
    (failure,) = failures
    assert failure.expected == "never: the display of A1 is STORED"
    assert paper.clock.now() < 3


def test_always_lasts_as_long_as_what_is_told_meanwhile(tmp_path: Path) -> None:
    paper = Paper()
    paper.a1.says = lambda now: "STORED" if now > 2 else "SENT"
    steps = "  - always: the display of A1 is SENT\n  - meanwhile:\n      - wait 5s\n"
    failures, *_ = told(tmp_path, steps, paper)
    assert len(failures) == 1


def test_a_conflict_may_last_so_long_and_no_longer(tmp_path: Path) -> None:
    rule = "  - always: no desk is in conflict for more than {}\n  - wait 3s\n"
    assert told(tmp_path, rule.format("4s"))[0] == []
    (failure,) = told(tmp_path, rule.format("2s"))[0]
    assert "A1 has been in conflict for 2." in failure.seen


def test_at_counts_from_the_beginning_and_repeat_from_beginning_to_beginning(
    tmp_path: Path,
) -> None:
    steps = "  - wait 1s\n  - at 5s: Anna sits down at A1\n"
    steps += "  - repeat 3 times every 2s: Anna presses the button at A1\n"
    log = told(tmp_path, steps)[1]
    assert log == ["5.00 still", "5.00 press", "7.00 press", "9.00 press"]


def test_what_happens_together_begins_together(tmp_path: Path) -> None:
    steps = "  - together:\n      - [wait 1s, Anna sits down at A1]\n"
    steps += "      - Anna presses the button at A1\n"
    log = told(tmp_path, steps)[1]
    assert log[0].endswith("press")
    assert float(log[0].split()[0]) < 0.1
    assert len(log) == 2


def test_the_seed_chooses_and_the_same_seed_chooses_the_same(tmp_path: Path) -> None:
    steps = "  - wait 1s..9s\n  - Anna hammers the button at A1 3..9 times\n"
    steps += "  - one of: [Anna sits down at A1, Anna gets up from A1]\n"
    stories = {seed: told(tmp_path, steps, seed=seed)[1] for seed in range(1, 6)}
    assert stories[3] == told(tmp_path, steps, seed=3)[1]
    assert len({tuple(log) for log in stories.values()}) == 5
    assert {log[-1].split()[1] for log in stories.values()} == {"still", "none"}


def test_what_is_told_beside_it_does_not_change_what_the_seed_chooses(tmp_path: Path) -> None:
    alone = told(tmp_path, "  - wait 1s..9s\n  - Anna sits down at A1\n")[1]
    beside = told(
        tmp_path,
        "  - wait 1s..9s\n  - Anna sits down at A1\n  - meanwhile: wait 1s..2s\n",
    )[1]
    assert alone == beside


def test_pressing_without_power_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    steps = "  - the power of A1 is cut\n  - Anna presses the button at A1\n"
    (failure,) = told(tmp_path, steps)[0]
    assert (failure.line, failure.seen) == (6, "A1 has no power")


def test_every_story_ends_with_a_ledger_that_adds_up(tmp_path: Path) -> None:
    paper = Paper()
    paper.books.ledger = [("relay", 3, 2)]
    (failure,) = told(tmp_path, "  - wait 1s\n", paper)[0]
    assert "the ledger adds up" in failure.expected
    assert failure.seen == "relay: received 3, accounted for 2"


def test_a_failure_beside_the_story_is_a_failure_of_the_story(tmp_path: Path) -> None:
    steps = "  - meanwhile:\n      - within 1s: the display of A1 is STORED\n  - wait 5s\n"
    (failure,) = told(tmp_path, steps)[0]
    assert failure.line == 6


def test_the_record_names_nobody(tmp_path: Path) -> None:
    steps = "  - Anna taps her badge and headset at A1\n  - Anna presses the button at A1\n"
    record = told(tmp_path, steps)[2]
    assert not any("Anna" in event.text for event in record.events if event.kind != "met")


def test_a_press_that_is_not_stored_is_found_by_its_desk(tmp_path: Path) -> None:
    steps = "  - Anna presses the button at A1\n  - every press is stored\n"
    failures, _, _ = told(tmp_path, steps)
    assert [failure.seen for failure in failures] == ["1 presses were made at A1, 0 are stored"]
