"""What always holds: each invariant is true of a sound world, and false of a broken one."""

import asyncio
from pathlib import Path

import pytest

from sim.scenario.play import Player
from sim.scenario.read import read
from sim.scenario.record import Record
from tests.sim.scenario.paper import Paper, told

PRESS = "  - wait 5s\n  - Anna presses the button at A1\n  - wait 2s\n"


def seen(
    folder: Path, steps: str, expects: str, paper: Paper, lives: list[tuple[float, str]]
) -> str:
    """What was seen in place of an expectation; empty when it held."""
    file = folder / "story.yaml"
    file.write_text(f"title: T\npeople:\n  agents: [Anna]\nsteps:\n{steps}  - {expects}\n")
    record = Record(paper.clock.now)
    record.lives["A1"] = lives
    failures = asyncio.run(Player(read(file), paper, record).play())
    return failures[0].seen if failures else ""


def test_a_press_that_is_not_stored_is_lost(tmp_path: Path) -> None:
    what = seen(tmp_path, PRESS, "no press is lost", Paper(), [])
    assert what == "A1: 1 were made, 1 of them safely, 0 are stored"


def test_more_presses_stored_than_made_are_wrong_too(tmp_path: Path) -> None:
    paper = Paper()
    paper.books.presses = 2
    assert "2 are stored" in seen(tmp_path, PRESS, "no press is lost", paper, [])


@pytest.mark.parametrize(
    ("lives", "lost"),
    [
        ([(5.2, "cut")], False),  # while it was written
        ([(5.5, "cut")], True),
        ([(1.0, "cut"), (3.0, "on")], False),  # while it was starting
        ([(1.0, "cut"), (1.5, "on")], True),
        ([(5.2, "watchdog")], False),
    ],
)
def test_a_power_cut_excuses_only_what_it_interrupts(
    tmp_path: Path, lives: list[tuple[float, str]], lost: bool
) -> None:
    assert bool(seen(tmp_path, PRESS, "no press is lost", Paper(), lives)) == lost


def test_what_was_acknowledged_has_to_be_stored(tmp_path: Path) -> None:
    paper = Paper()
    paper.acks = {("a1", 7, "button"): {1, 2, 3}}
    paper.books.stored = [1, 3]
    what = seen(tmp_path, PRESS, "everything acknowledged is stored", paper, [])
    assert what == "acknowledged and not stored: a1, boot 7, button lane: [2]"
    paper.books.stored = [1, 2, 3]
    assert not seen(tmp_path, PRESS, "everything acknowledged is stored", paper, [])


def test_as_much_may_be_missing_of_what_was_acknowledged_as_was_deleted(tmp_path: Path) -> None:
    paper = Paper()
    paper.acks = {("a1", 7, "button"): {1, 2, 3}}
    paper.books.stored = [3]
    paper.books.tables = {"forgotten": [(2,)]}
    assert not seen(tmp_path, PRESS, "everything acknowledged is stored", paper, [])
    paper.books.tables = {"forgotten": [(1,)]}
    what = seen(tmp_path, PRESS, "everything acknowledged is stored", paper, [])
    assert what == "acknowledged and not stored: a1, boot 7, button lane: [1, 2]"


@pytest.mark.parametrize(
    ("sentence", "tables", "what"),
    [
        ("the report counts 10 agents in Room", {"group_days": [(10,)]}, ""),
        ("the report counts 10 agents in Room", {"group_days": [(11,)]}, "the report counts 11"),
        ("the report counts no agents in Room", {"group_days": [(None,)]}, "tells nothing"),
        ("the report counts no agents in Room", {}, "tells nothing"),
        ("the report tells nothing of Room", {}, "no day was counted yet"),
        ("the report tells nothing of Room", {"group_days": [(9,)]}, "the report tells"),
        ("the last night deleted 2 rows", {"retention_runs": [(2,)]}, ""),
        ("the last night deleted 2 rows", {"retention_runs": [(3,)]}, "it deleted 3"),
        ("the last night deleted no rows", {"retention_runs": [(None,)]}, "nothing was deleted"),
    ],
)
def test_what_is_told_and_deleted_is_seen(
    tmp_path: Path, sentence: str, tables: dict[str, list[tuple[object, ...]]], what: str
) -> None:
    paper = Paper()
    paper.books.tables = tables
    found = seen(tmp_path, PRESS, sentence, paper, [])
    assert bool(found) == bool(what)
    assert what in found


def test_a_hole_in_the_numbers_is_missing(tmp_path: Path) -> None:
    paper = Paper()
    assert not seen(tmp_path, PRESS, "no fact is missing", paper, [])
    paper.books.gap = 3
    assert seen(tmp_path, PRESS, "no fact is missing", paper, []) == "missing: 3 of A1"


def test_a_desk_has_to_show_what_the_page_says(tmp_path: Path) -> None:
    paper = Paper()
    what = seen(tmp_path, PRESS, "every desk shows what it should", paper, [])
    assert what == "A1 says FREE, the page conflict"
    paper.a1.says = lambda _: "BLOCKED MOVE ON"
    assert not seen(tmp_path, PRESS, "every desk shows what it should", paper, [])


def test_only_its_power_may_start_a_unit_again(tmp_path: Path) -> None:
    lives = [(1.0, "cut"), (2.0, "on")]
    assert not seen(tmp_path, PRESS, "no unit has failed", Paper(), lives)
    lives.append((3.0, "watchdog"))
    what = seen(tmp_path, PRESS, "no unit has failed", Paper(), lives)
    assert what == "A1 has reset after 3.0 s (watchdog)"


def test_if_possible_leaves_out_what_cannot_be_and_goes_on(tmp_path: Path) -> None:
    steps = """\
  - the power of A1 is cut
  - if possible:
      - Anna presses the button at A1
      - the power of A1 is back
      - Anna presses the button at A1
"""
    failures, log, record = told(tmp_path, steps)
    assert not failures
    assert [line.split()[1] for line in log] == ["press"]
    left = [event.text for event in record.events if event.kind == "note"]
    assert left == ["left out, as it can't be: A1 has no power"]
