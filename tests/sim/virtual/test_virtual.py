"""Virtual time: the same seed tells the same facts, whatever the machine does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.scenario.read import read
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
