"""Looks of the director that are left out would have changed nothing."""

import functools
from pathlib import Path

import pytest

from sim.scenario.record import Result
from sim.virtual import engine
from sim.virtual.host import VirtualHost
from sim.virtual.processes import DirectorProcess
from tests.sim.virtual.stories import told

TIME_ALONE = """\
title: What time alone changes, clocks that are set, and a director that hangs
requirement: 2.2
site:
  away: 1 min
  rooms: [{desks: [A1, B1, C1], cap: 2}]
people:
  agents: [Anna, Ben, Cleo]
  cleaners: [Vera]
needs: virtual time
steps:
  - wait 20s..30s
  - [Anna badges in at A1, Anna sits down at A1, wait 0s..1s]
  - [Ben badges in at B1, Ben sits down at B1, wait 0s..20s]
  - [Anna gets up from A1, wait 0s..2s, Ben gets up from B1]
  - wait 70s..80s
  - the host's clock jumps ahead by 700ms
  - [wait 3s..7s, Vera cleans A1, wait 1s..3s]
  - [Cleo badges in at C1, Cleo sits down at C1, wait 10s..20s, Cleo gets up from C1]
  - [wait 30s..40s, the director hangs for 3s, wait 1s..2s]
  - the host's clock jumps back by 2500ms
  - wait 70s
  - [Anna badges in at A1, Anna sits down at A1, wait 10s..20s, Anna gets up from A1]
  - wait 1s..5s
  - the host's clock runs 40 ppm fast
  - wait 70s..80s
  - the host's clock runs right
  - [Vera cleans A1, Vera cleans B1, Vera cleans C1]
  - wait 900min..901min
  - [Ben badges in at B1, wait 5s]
"""


def shown(result: Result) -> list[tuple[str | None, str, float]]:
    return sorted((each.desk, each.text, each.at) for each in result.events if each.kind == "shown")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_facts_and_displays_are_the_same_when_it_looks_every_second(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "time.yaml"
    file.write_text(TIME_ALONE)
    quiet = told(file, seed)
    monkeypatch.setattr(
        engine,
        "VirtualHost",
        lambda *parts, leave_out: VirtualHost(*parts, leave_out=False),  # noqa: ARG005
    )
    busy = told(file, seed)
    assert quiet.outcome == "passed", quiet.failures
    assert quiet.facts == busy.facts
    assert shown(quiet) == shown(busy)


def test_it_is_looked_once_a_minute_when_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    step = DirectorProcess._step

    @functools.wraps(step)
    def counted(process: DirectorProcess) -> None:
        looks.append(process)
        step(process)

    monkeypatch.setattr(DirectorProcess, "_step", counted)
    file = tmp_path / "quiet.yaml"
    file.write_text("title: A quiet hour\nrequirement: 1.1\nsteps:\n  - wait 60min\n")
    assert told(file).outcome == "passed"
    assert 60 <= len(looks) < 120
