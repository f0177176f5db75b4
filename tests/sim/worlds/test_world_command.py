"""`python -m sim world` shows what will happen; its figures are those of the plan."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sim.vm import ROOT
from sim.worlds.action import Deed, encode
from sim.worlds.day import plan
from sim.worlds.model import Model, Size
from sim.worlds.picture import picture
from sim.worlds.table import hours, sums

SVG = "{http://www.w3.org/2000/svg}"


def world(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sim", "world", *words],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_it_prints_the_day_and_draws_it_and_writes_what_happens(tmp_path: Path) -> None:
    drawn, told = tmp_path / "day.svg", tmp_path / "day.jsonl"
    done = world(
        "--seed", "7", "--desks", "12", "--picture", str(drawn), "--actions", str(told)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = plan(Model(size=Size(seats=12, agents=14, cleaners=1, hours=8)), 7)
    answered = len(made.days[0].calls.answered)
    assert f"{answered} answered" in done.stdout
    assert told.read_bytes() == encode(made.actions)
    assert drawn.read_text() == picture(made)


def test_the_hours_add_up_to_the_day() -> None:
    made = plan(Model(size=Size(seats=30, agents=36, cleaners=2, days=2)), 3)
    for day in (0, 1):
        rows = hours(made, day)
        actions = made.days[day].actions

        def total(name: str, rows: list = rows) -> int:
            return sum(row.figures.get(name, 0) for row in rows)

        assert total("calls") == len(made.days[day].calls.answered)
        assert total("presses") == sum(a.deed in {Deed.PRESS, Deed.HOLD} for a in actions)
        assert total("cleaned") == sum(a.deed == Deed.CLEAN for a in actions)
        assert max(row.figures["in use"] for row in rows if "in use" in row.figures) <= 30
    assert dict(sums(made))["happenings at desks"] == str(len(made.actions))


@pytest.mark.parametrize("size", [Size(), Size(seats=1, agents=1, hours=0.5), Size(seats=500)])
def test_the_picture_is_svg_that_tells_what_it_is_and_has_a_band_for_each_stint(
    size: Size,
) -> None:
    made = plan(Model(size=size), 2)
    root = ET.fromstring(picture(made))
    title = root.find(f"{SVG}title")
    assert title is not None
    assert f"{size.seats} desks" in (title.text or "")
    bands = [each for each in root.iter(f"{SVG}rect") if each.get("class") == "on"]
    assert len(bands) == len(made.days[0].roster.stints)
    presses = [each for each in root.iter(f"{SVG}path") if each.get("class") == "press"]
    # One more in the legend.
    assert len(presses) == 1 + sum(a.deed == Deed.PRESS for a in made.actions)
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for each in root.iter(f"{SVG}rect"):
        if each.get("x"):
            assert 0 <= float(each.get("x", 0)) <= width
            assert 0 <= float(each.get("y", 0)) <= height


def test_a_picture_of_no_known_kind_and_a_day_that_is_not_there_are_refused(
    tmp_path: Path,
) -> None:
    assert world("--picture", str(tmp_path / "day.bmp")).returncode == 2
    assert world("--day", "2").returncode == 2
    nowhere = world("--picture", str(tmp_path / "none" / "day.svg"))
    assert nowhere.returncode == 2
    assert "can't be written" in nowhere.stderr


def test_the_picture_in_the_documents_is_the_one_that_its_command_draws() -> None:
    command = "python -m sim world --seed 7 --desks 50 --hours 8 --picture"
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert command in page
    made = plan(Model(size=Size(seats=50, agents=60, cleaners=3, hours=8)), 7)
    assert (ROOT / "docs" / "pictures" / "world.svg").read_text() == picture(made)
