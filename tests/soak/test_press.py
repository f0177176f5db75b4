"""A press is felt within 50 ms of the first touch: told in virtual time, in which work takes time.

The clock is no machine's: each operation takes what it takes on the chip (`on_vm/costs.py`), so
the same seed gives the same microseconds everywhere.
"""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.day import ROOT

FELT_US = 50_000
ERASED_US = 65_000
"""An erase of flash can't be interrupted; docs/firmware.md says how often there is one."""

PRESSES = 300


def press(
    folder: Path, firmware: Path = ROOT / "firmware", seed: int = 1
) -> tuple[list[tuple[int, str]], int]:
    """(microseconds from touch to click, what went on meanwhile) of each press; facts stored."""
    (folder / "soc").mkdir()
    script = ROOT / "tests" / "soak" / "on_vm" / "press.py"
    done = subprocess.run(
        [
            Path(sys.executable).with_name("micropython"),
            *("-X", "heapsize=4m", script, firmware, folder / "soc", str(PRESSES), str(seed)),
        ],
        env={**os.environ, "MICROPYPATH": ".frozen"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    told = {line[0] for line in lines}
    assert told == {"press", "facts"}, done.stdout[-2000:]
    felt = [(int(line[1]), line[2]) for line in lines if line[0] == "press"]
    return felt, int(lines[-1][1])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ring_and_click_follow_a_press_within_50_ms_whatever_the_unit_is_doing(
    tmp_path: Path, seed: int
) -> None:
    felt, stored = press(tmp_path, seed=seed)
    assert (len(felt), stored) == (PRESSES, PRESSES)
    assert max(us for us, during in felt if during != "erase") <= FELT_US
    assert max(us for us, during in felt if during == "erase") <= ERASED_US
    busy = {during for _, during in felt}
    assert {"erase", "screen", "radar", "reader", "backlog"} <= busy


def test_a_page_painted_at_once_would_be_felt(tmp_path: Path) -> None:
    assert (
        _worst(
            tmp_path,
            "from desk_unit.screen import Screen\npaint = Screen.paint\n"
            "Screen.paint = lambda self, *page: list(paint(self, *page))\n",
        )
        > FELT_US
    )


def test_a_press_not_looked_for_after_an_erase_would_be_felt(tmp_path: Path) -> None:
    worst = _worst(
        tmp_path,
        "from desk_unit.senses import ButtonSense\nButtonSense.held = lambda self, since: None\n",
        "erase",
    )
    assert worst > ERASED_US


def test_the_firmwares_document_has_the_same_figures() -> None:
    text = (ROOT / "docs" / "firmware.md").read_text(encoding="utf-8")
    costs = runpy.run_path(str(ROOT / "tests" / "soak" / "on_vm" / "costs.py"))
    said = {}
    for figures, names in re.findall(
        r"^\| [^|]+ \| ([\d., ]+) \| (`[A-Z0-9_`, ]+) \|", text, re.MULTILINE
    ):
        constants = re.findall(r"[A-Z][A-Z0-9_]+", names)
        said |= dict(zip(constants, map(float, figures.split(", ")), strict=True))
    assert said == {name: value for name, value in costs.items() if name.isupper()}


def _worst(folder: Path, change: str, during: str = "") -> int:
    """The longest that a press takes to be felt when the firmware is changed."""
    firmware = folder / "firmware"
    firmware.mkdir()
    for part in (ROOT / "firmware").iterdir():
        (firmware / part.name).symlink_to(part)
    main = firmware / "main.py"
    text = main.read_text()
    main.unlink()
    main.write_text(change + text)
    return max(us for us, what in press(folder, firmware)[0] if not during or what == during)
