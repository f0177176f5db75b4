"""Power fails at every operation on flash and NVS, and again during what follows.

The lives run on the MicroPython VM, on its littlefs over NOR flash in RAM, with real bytecode.
`POWER_CUT=full` takes real blocks of 4,096 bytes, a larger version, and two cuts everywhere.
"""

import json
import os
from pathlib import Path

import pytest

from tests.update.conftest import on_vm

FULL = os.environ.get("POWER_CUT") == "full"


@pytest.mark.slow
@pytest.mark.timeout(3600 if FULL else 180)
@pytest.mark.parametrize(("scenario", "cuts"), [("first", 1), ("update", 2), ("rollback", 2)])
def test_whenever_power_fails_a_whole_version_starts_and_the_update_succeeds_later(
    versions: Path, scenario: str, cuts: int, capsys: pytest.CaptureFixture[str]
):
    size, cuts = (4096, 2) if FULL else (512, cuts)
    report = json.loads(on_vm("power_cut.py", versions, scenario, size, cuts, seconds=3600))
    with capsys.disabled():
        operations = " ".join(f"{count} {kind}" for kind, count in report["operations"].items())
        print(
            f"\npower cuts, {scenario}: {operations}; states after 0, 1, ... cuts "
            f"{report['states']}, {report['lives']} lives, {report['failures']} failures, "
            f"{report['ms'] / 1000:.0f} s"
        )
    assert report["first_failures"] == []
    assert report["failures"] == 0
    assert report["operations"]["commit"] >= 3
    assert len(report["states"]) == cuts + 1
    assert report["states"][1] >= 90
    assert report["lives"] == sum(report["states"])


def test_the_states_that_were_recorded_are_those_that_cuts_really_leave(versions: Path):
    report = json.loads(on_vm("power_cut.py", versions, "first", 512, 0))
    assert report["failures"] == []
    assert report["cuts"] > 1000
    assert report["unknown"] == 0
