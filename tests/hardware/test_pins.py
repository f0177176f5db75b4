"""The pin map is sound, and what is generated from it has not drifted."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from hardware import generate, pinmap


def test_the_pin_map_breaks_no_rule():
    assert pinmap.broken_rules(pinmap.load()) == []


@pytest.mark.parametrize(
    ("gpio", "complaint"),
    [
        (7, "flash"),
        (12, "strapping"),
        (1, "USB console"),
        (36, "only be an input"),
        (24, "no such GPIO"),
        (41, "no such GPIO"),
        (19, "GPIO 19 is used twice"),
    ],
)
def test_a_pin_in_a_wrong_place_is_named_with_the_reason(gpio: int, complaint: str):
    pins = pinmap.load()
    moved = [replace(pins[0], gpio=gpio), *pins[1:]]
    faults = pinmap.broken_rules(moved)
    assert any(complaint in fault for fault in faults), faults


def test_a_wrong_key_in_the_file_is_a_clear_error(tmp_path: Path):
    file = tmp_path / "pins.toml"
    file.write_text('[[pin]]\nname = "A"\ngpoi = 4\n')
    with pytest.raises(ValueError, match="gpoi"):
        pinmap.load(file)


def test_generated_files_match_the_pin_map():
    assert generate.drifted(pinmap.load()) == []


def test_a_changed_pin_is_seen_as_drift_in_every_generated_file():
    pins = pinmap.load()
    moved = [replace(pins[0], gpio=14), *pins[1:]]
    assert set(generate.drifted(moved)) == {
        "firmware/board/pins.py",
        "sim/board/wiring.py",
        "hardware/wiring.yml",
    }


def test_the_wiring_picture_shows_every_signal_and_part():
    svg = ET.parse(generate.ROOT / "hardware" / "wiring.svg")
    words = {text.strip() for element in svg.iter() for text in element.itertext()}
    for pin in pinmap.load():
        assert f"GPIO{pin.gpio}" in words
        assert pin.part in words
