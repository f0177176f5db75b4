"""Virtual time: the same seed tells the same facts, whatever the machine does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.scenario.read import read
from sim.vm import ROOT
from tests.sim.virtual.stories import STORIES, digest, told

RANDOM = """\
title: Chance
requirement: 1.1
site:
  rooms: [{desks: [A1, A2, B1]}]
people:
  agents: [Anna, Ben, Cleo]
steps:
  - together:
      - - wait 0s..3s
        - Anna badges in at A1
        - Anna sits down at A1
        - Anna hammers the button at A1 2..5 times
      - - wait 0s..3s
        - one of: [Ben badges in at A2, Ben taps Anna's headset at A2, Ben passes by A2 for 2s..5s]
      - - wait 0s..3s
        - the network of B1 is lost
        - Cleo presses the button at B1
        - wait 1s..4s
        - the network of B1 is back
  - wait 1s..9s
  - the broker is restarted
  - meanwhile:
      - wait 1s..4s
      - the relay is killed
      - wait 1s..3s
      - the relay is started
  - wait 2s..30s
  - the power of A1 is cut
  - wait 1s..3s
  - the power of A1 is back
  - within 40s: B1 has 1 press fact
  - wait 60s..200s
"""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    file = tmp_path / "chance.yaml"
    file.write_text(RANDOM)
    return file


def test_one_seed_has_one_digest_on_a_busy_machine(story: Path) -> None:
    words = [sys.executable, "-c", "while True: pass"]
    loads = [subprocess.Popen(words) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        digests = {digest(story, 3) for _ in range(3)}
    finally:
        for load in loads:
            load.kill()
            load.wait()
    assert len(digests) == 1


def test_another_seed_has_another_digest(story: Path) -> None:
    assert digest(story, 3) != digest(story, 4)


@pytest.mark.parametrize("seed", [5, 6])
def test_leaving_out_what_changes_nothing_changes_no_fact(story: Path, seed: int) -> None:
    assert digest(story, seed) == digest(story, seed, leave_out=False)


SHORT = [file for file in sorted(STORIES.glob("*.yaml")) if not read(file, None).needs]


@pytest.mark.parametrize("file", SHORT, ids=lambda file: file.stem)
def test_every_story_is_told_in_virtual_time_and_leaving_out_changes_no_fact(file: Path) -> None:
    assert digest(file) == digest(file, leave_out=False)


VIRTUAL = [
    scenario.file
    for scenario in map(read, sorted(STORIES.glob("*.yaml")))
    if scenario.needs == "virtual time" and not scenario.slow
]


@pytest.mark.parametrize("file", VIRTUAL, ids=lambda file: file.stem)
def test_a_story_that_only_virtual_time_can_tell_is_true(file: Path) -> None:
    result = told(file)
    assert result.outcome == "passed", (result.replay, result.failures)


def test_a_failure_names_the_command_that_tells_the_same_again(tmp_path: Path) -> None:
    file = tmp_path / "fails.yaml"
    file.write_text(
        "title: Fails\nrequirement: 1.1\npeople: {agents: [Anna]}\n"
        "steps:\n  - Anna presses the button at A1\n  - A1 has 2 press facts\n"
    )
    result = told(file, 7)
    assert result.outcome == "failed"
    assert result.replay == f"chequer simulate {file} --seed 7 --virtual"


def test_a_day_without_events_costs_no_day(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(
        "title: A quiet day\nrequirement: 1.1\npeople: {agents: [Anna]}\n"
        "steps:\n  - wait 1440min\n  - Anna presses the button at A1\n"
        "  - within 3s: A1 has 1 press fact\n"
    )
    result = told(file)
    assert result.outcome == "passed", result.failures
    assert result.told > 86_400
    assert result.seconds < result.told / 1000


KINDS = """\
title: Every kind of desk, and an outage
requirement: 1.1
site:
  rooms:
    - desks:
        - A1
        - {name: A2, reader: pn532, presence: [pir, seat-switch]}
        - {name: B1, reader: pn532, presence: [ld2410, pir]}
people:
  agents: [Anna, Ben, Cleo]
steps:
  - wait 50s..60s
  - together:
      - [Anna badges in at A1, Anna sits down at A1]
      - [wait 0s..2s, Ben badges in at A2, wait 0s..3s, Ben sits down at A2]
      - [wait 0s..2s, Cleo badges in at B1, wait 0s..3s, Cleo sits down at B1]
  - wait 10s..15s
  - the broker is killed
  - wait 5s..15s
  - Anna presses the button at A1
  - Ben gets up from A2
  - wait 90s..100s
  - Ben taps his headset at A2
  - the broker is started
  - wait 15s..20s
  - the network of B1 is lost
  - Cleo presses the button at B1
  - wait 5s..10s
  - the network of B1 is back
  - the reader of A2 is missing
  - wait 5s..7s
  - the reader of A2 is mended
  - wait 10s..15s
"""


def test_no_kind_of_chip_and_no_outage_changes_what_may_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "kinds.yaml"
    file.write_text(KINDS)
    assert digest(file) == digest(file, leave_out=False)


CARDS = """\
title: Cards at any moment
requirement: 2.2
site:
  rooms: [{desks: [A1, {name: A2, reader: pn532, presence: [seat-switch]}]}]
people:
  agents: [Anna, Ben]
steps:
  - wait 8s..9s
  - together:
      - - repeat 12 times: [wait 1.5s..4s, Anna taps her headset at A1]
      - - repeat 12 times: [wait 1.5s..4s, Ben taps his headset at A2]
  - wait 3s
"""


def test_a_card_may_come_in_the_middle_of_any_poll_that_was_left_out(tmp_path: Path) -> None:
    file = tmp_path / "cards.yaml"
    file.write_text(CARDS)
    assert digest(file) == digest(file, leave_out=False)


def test_a_day_without_a_broker_costs_no_day(tmp_path: Path) -> None:
    file = tmp_path / "outage.yaml"
    file.write_text(
        "title: A day without a broker\nrequirement: 3.7\npeople: {agents: [Anna]}\nsteps:\n"
        "  - the broker is killed\n  - wait 700min..720min\n  - Anna presses the button at A1\n"
        "  - wait 700min..720min\n  - the broker is started\n"
        "  - within 1min: A1 has 1 press fact\n  - presses at A1 are dated within 1s\n"
    )
    result = told(file)
    assert result.outcome == "passed", result.failures
    assert result.seconds < result.told / 500


GRIDS = """\
import sys
sys.path[:0] = ["sim/board", "firmware", ""]
import quiet_reader
for left in range(11):
    grid = quiet_reader.PN532Grid(1000, left, 13, 35)
    begins, at, until = [], 1000, left
    for number in range(60):
        waking = until == 0
        begins.append((at, at + (35 if waking else 13)))
        at = begins[-1][1] + 60
        until = 9 if waking else until - 1
    for now in range(900, 4000):
        # Whoever is in the middle of a poll is there still when its last look is due.
        want = next(begin for begin, end in begins if now <= end)
        assert grid.next(now) == want, (left, now, want, grid.next(now))
    for number in range(60):
        assert grid.count(begins[number][0]) == number, (left, number)
print("same")
"""


def test_polls_of_a_pn532_begin_where_those_begin_that_are_done() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-X", "heapsize=1m", "-c", GRIDS],
        cwd=ROOT,
        env={"MICROPYPATH": ".frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "same\n", done.stdout + done.stderr
