"""The flash view reads what the firmware's journal wrote, changes nothing, and bears anything."""

import importlib
import random
from pathlib import Path
from typing import Any

import pytest

from sim.workbench.flash import MOST, SIZES, Copy, Flash


def write(soc: Path, name: str, count: int) -> None:
    """A flash file as the unit leaves it, with so many presses or taps."""
    Flash(soc)  # puts the firmware on the path
    journal: Any = importlib.import_module("desk_unit.journal").Journal
    copy = Copy(b"", SIZES[name])
    log = journal(copy)
    log.mount()
    for seq in range(1, count + 1):
        kind, body = (6, b"") if name == "button" else (2, bytes(16))
        log.append(kind, 7, seq, 1000 * seq, 0, 0, body)
    (soc / f"{name}.flash").write_bytes(bytes(copy._data))


def test_a_unit_that_never_started_has_nothing_waiting(tmp_path: Path) -> None:
    flash = Flash(tmp_path)
    assert [(lane["name"], lane["waiting"]) for lane in flash.lanes()] == [
        ("button", 0),
        ("ordinary", 0),
    ]
    assert flash.boot is None


def test_waiting_facts_are_shown_newest_first_and_the_files_stay_as_they_are(
    tmp_path: Path,
) -> None:
    write(tmp_path, "button", 2)
    write(tmp_path, "journal", MOST + 5)
    before = [(tmp_path / f"{name}.flash").read_bytes() for name in SIZES]
    button, ordinary = Flash(tmp_path).lanes()
    assert button["waiting"] == 2
    assert button["facts"][0] == {"type": "press", "boot": 7, "seq": 2, "up": 2000}
    assert ordinary["waiting"] == MOST + 5
    assert [fact["seq"] for fact in ordinary["facts"]] == list(range(MOST + 5, 5, -1))
    assert ordinary["facts"][0]["tag"] == "0" * 32
    assert [(tmp_path / f"{name}.flash").read_bytes() for name in SIZES] == before


def test_it_tells_when_flash_may_have_changed(tmp_path: Path) -> None:
    flash = Flash(tmp_path)
    assert flash.changed()
    assert not flash.changed()
    write(tmp_path, "button", 1)
    assert flash.changed()


def test_the_boot_number_is_what_the_unit_keeps(tmp_path: Path) -> None:
    (tmp_path / "nvs").mkdir()
    (tmp_path / "nvs" / "chequer.boot.i32").write_bytes(b"41")
    assert Flash(tmp_path).boot == 41
    (tmp_path / "nvs" / "chequer.boot.i32").write_bytes(b"\xff\x00")
    assert Flash(tmp_path).boot is None


@pytest.mark.parametrize("seed", range(30))
def test_damaged_flash_is_shown_as_far_as_it_goes(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    write(tmp_path, "button", 40)
    file = tmp_path / "button.flash"
    content = bytearray(file.read_bytes())
    for _ in range(dice.randrange(1, 200)):
        content[dice.randrange(6000)] = dice.randrange(256)
    file.write_bytes(bytes(content[: dice.randrange(len(content))]))
    (tmp_path / "journal.flash").write_bytes(dice.randbytes(dice.randrange(900_000)))
    for lane in Flash(tmp_path).lanes():
        assert len(lane["facts"]) <= MOST
