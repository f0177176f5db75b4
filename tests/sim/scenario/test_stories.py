"""Our own scenarios, told for real: each that is not slow is a test of its own."""

import asyncio
from pathlib import Path

import pytest

from sim.scenario.command import FOLDER
from sim.scenario.read import read
from sim.scenario.story import Scenario
from sim.scenario.tell import tell

ALL = [read(file) for file in sorted(FOLDER.glob("*.yaml"))]
QUICK = [each for each in ALL if not each.slow and each.needs != "virtual time"]


@pytest.mark.parametrize("scenario", QUICK, ids=lambda scenario: scenario.file.stem)
def test_the_story_is_true(scenario: Scenario, tmp_path: Path) -> None:
    result = asyncio.run(tell(scenario, tmp_path))
    assert result.outcome == "passed", (result.failures, result.replay)


def test_there_are_enough_stories_and_each_names_a_demand() -> None:
    assert len(QUICK) >= 25
    assert all(scenario.requirements for scenario in ALL)
    assert len({scenario.title for scenario in ALL}) == len(ALL)
