"""`chequer simulate --explore` as a tester meets it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sim.__main__ import app
from sim.explore.chance import plan
from sim.explore.explore import Finding, write
from sim.explore.shrink import Shrunk
from sim.explore.trial import Trial
from sim.scenario.read import read


def test_a_seed_that_breaks_nothing_is_counted() -> None:
    done = CliRunner().invoke(app, ["simulate", "--explore", "1", "--seed", "4", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    assert "nothing broke: 1 stories" in done.output
    assert "seeds 4 to 4" in done.output


@pytest.mark.parametrize("more", [["story.yaml"], ["--check"], ["--report", "x.json"]])
def test_what_only_files_have_is_refused(more: list[str]) -> None:
    done = CliRunner().invoke(app, ["simulate", "--explore", "1", *more])
    assert done.exit_code == 2
    assert "--explore" in done.output


def test_the_short_story_is_a_scenario_that_says_what_broke(tmp_path: Path) -> None:
    first = Trial(
        seed=7,
        broken="no press is lost",
        seen="A1: 1 were made",
        besides={"every desk shows what it should": "A1 says NO LINK"},
    )
    file = write(Finding(first, Shrunk(plan(7), 3, whole=True), first, tried=7), tmp_path)
    assert file.name == "explore-7.yaml"
    assert read(file).seed == 7
    text = file.read_text()
    assert "# Broken: no press is lost.\n# Seen:   A1: 1 were made\n" in text
    assert "# Broken: every desk shows what it should.\n# Seen:   A1 says NO LINK\n" in text
    assert "# chequer simulate explore-7.yaml --virtual" in text
