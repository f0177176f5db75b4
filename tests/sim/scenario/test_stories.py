"""Our own scenarios, told for real: each that is not slow is a test of its own."""

import asyncio
from pathlib import Path

import pytest

from sim.scenario.command import FOLDER
from sim.scenario.read import read
from sim.scenario.record import Result
from sim.scenario.story import Scenario
from sim.scenario.tell import tell

ALL = [read(file) for file in sorted(FOLDER.glob("*.yaml"))]
QUICK = [each for each in ALL if not each.slow and each.needs != "virtual time"]
AT_ONCE = 3


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Result]:
    """All quick ones, some at a time: they mostly wait."""
    folder = tmp_path_factory.mktemp("stories")

    async def tell_all() -> list[Result]:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(scenario: Scenario) -> Result:
            async with room:
                return await tell(scenario, folder)

        return await asyncio.gather(*(one(scenario) for scenario in QUICK))

    results = asyncio.run(tell_all())
    return {scenario.file: result for scenario, result in zip(QUICK, results, strict=True)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", QUICK, ids=lambda scenario: scenario.file.stem)
def test_the_story_is_true(scenario: Scenario, told: dict[Path, Result]) -> None:
    result = told[scenario.file]
    assert result.outcome == "passed", (result.failures, result.replay)


def test_there_are_enough_stories_and_each_names_a_demand() -> None:
    assert len(QUICK) >= 25
    assert all(scenario.requirements for scenario in ALL)
    assert len({scenario.title for scenario in ALL}) == len(ALL)
