"""What the explorer has found in our own code stays found: each story says what went wrong."""

from pathlib import Path

import pytest

from sim.scenario.read import read
from sim.virtual.tell import tell_virtually

STORIES = sorted((Path(__file__).parent / "found").glob("*.yaml"))


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_it_does_not_come_back(file: Path) -> None:
    result = tell_virtually(read(file), None)
    assert result.outcome == "passed", result.failures
