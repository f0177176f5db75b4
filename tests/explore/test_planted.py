"""The explorer finds what is wrong: known seeds against defects planted in a copy.

`python -m tests.explore.planted` is the long form, which searches for the seeds. When the stories
of seeds have changed (a new fault, another deed), it says the new ones.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sim.explore.trial import Trial
from tests.explore.defects import (
    DEFECTS,
    SHORT,
    Change,
    Defect,
    TextHasMovedError,
    planted,
    simulate,
)
from tests.sim.virtual.stories import told

_TRY = "import sys, msgspec; from sim.explore.explore import trial; "
_TRY += "print(msgspec.json.encode(trial(int(sys.argv[1]))).decode())"


def tried(copy: Path, seed: int) -> Trial:
    """A seed's story, told by a copy of the sources."""
    done = subprocess.run(
        [sys.executable, "-c", _TRY, str(seed)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Trial)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found_and_named(defect: Defect, tmp_path: Path) -> None:
    with planted(defect, tmp_path) as copy:
        assert tried(copy, defect.seed).broken == defect.breaks


@pytest.mark.parametrize("seed", sorted({defect.seed for defect in DEFECTS}))
def test_without_the_defect_the_same_seed_passes(seed: int, tmp_path: Path) -> None:
    with planted(None, tmp_path) as copy:
        trial = tried(copy, seed)
    assert not trial.broken, trial.seen
    assert trial.digest


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_its_short_story_fails_again_and_says_what_is_wrong(defect: Defect, tmp_path: Path) -> None:
    story = SHORT / defect.story
    wrong = re.findall(r"# Broken: (.*)\.\n# Seen:   (.*)", story.read_text())
    assert defect.breaks in dict(wrong)
    with planted(defect, tmp_path) as copy:
        done = simulate(copy, str(story), "--virtual", seconds=600)
    assert done.returncode == 1, done.stdout
    for broken, seen in wrong:
        assert re.search(rf"expected +within 60s: {re.escape(broken)}\n", done.stdout), done.stdout
        assert re.search(rf"seen +{re.escape(seen)}", done.stdout), done.stdout


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_its_short_story_passes_without_the_defect(defect: Defect) -> None:
    result = told(SHORT / defect.story)
    assert result.outcome == "passed", result.failures


def test_a_defect_whose_text_has_moved_is_an_error(tmp_path: Path) -> None:
    moved = Defect("moved", 1, "", "", (Change("sim/__init__.py", "no such text", ""),))
    with pytest.raises(TextHasMovedError, match="does not say once"), planted(moved, tmp_path):
        pass
