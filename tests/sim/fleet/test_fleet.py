"""A small fleet, whole: broker, relay, director, units."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sim.fleet import fleet
from sim.fleet.fleet import Findings, Fleet, Progress
from sim.fleet.report import lines
from sim.fleet.site import MOST, crew, rooms
from sim.scenario.site import check

UNITS, SECONDS, EVERY_S = 4, 12.0, 3.0


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits: neither for rest nor for what will never come."""
    monkeypatch.setattr(fleet, "_REST_S", 1.0)
    monkeypatch.setattr(fleet, "_SETTLE_S", 6.0)


def test_every_part_is_measured_and_nothing_is_amiss(tmp_path: Path) -> None:
    found = _run(tmp_path, _silent)
    assert found.amiss == []
    assert found.unanswered == []
    assert set(found.uses) == {"units", "broker", "relay", "director", "launcher"}
    assert all(use.cores > 0 and use.memory > 0 for use in found.uses.values())
    assert found.uses["units"].processes == UNITS
    assert found.presses > 0
    assert len(found.verdicts) >= UNITS
    assert sum(found.states.values()) == UNITS
    assert "The ledger adds up" in " ".join(lines(found))


def test_a_press_that_is_not_in_the_database_is_told(tmp_path: Path) -> None:
    def lose(what: str, done: float, whole: float) -> None:
        if what == "everything arrives" and done < whole:
            with closing(sqlite3.connect(tmp_path / "var" / "chequer.db")) as store, store:
                store.execute("DELETE FROM facts WHERE type = 'press'")

    found = _run(tmp_path, lose)
    assert any("presses were made, 0 are stored" in each for each in found.amiss)
    assert any("AMISS" in line for line in lines(found))


def test_every_desk_of_the_largest_fleet_has_a_name_of_its_own() -> None:
    site = rooms(MOST)
    assert len(set(site.desks)) == MOST
    check(site, crew(site))


def _run(folder: Path, progress: Progress) -> Findings:
    return asyncio.run(Fleet(folder, UNITS, EVERY_S, 1, progress).run(SECONDS))


def _silent(what: str, done: float, whole: float) -> None:
    """Nobody looks."""
