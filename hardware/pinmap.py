"""The pin map: reads hardware/pins.toml and holds it against the ESP32's rules.

Sources: ESP32 datasheet (table "Pin Description", section "Strapping Pins") and ESP32-WROOM-32E
datasheet (section "Pin Definitions").
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

PINS_FILE = Path(__file__).parent / "pins.toml"

FLASH = frozenset(range(6, 12))
"""Wired to the module's own flash."""

INPUT_ONLY = frozenset({34, 35, 36, 37, 38, 39})
"""No output driver and no internal pulls."""

STRAPPING = frozenset({0, 2, 5, 12, 15})
"""Read at reset: a part that drives one of them can stop the boot, or choose 1.8 V flash (12)."""

CONSOLE = frozenset({1, 3})
"""UART0: USB, the REPL and flashing."""

DIRECTIONS = ("in", "out", "bus")


@dataclass(frozen=True)
class Pin:
    """One signal: its name in the firmware, its GPIO, and the part's terminal at the far end."""

    name: str
    gpio: int
    direction: str
    part: str
    terminal: str
    note: str = ""


def load(file: Path = PINS_FILE) -> list[Pin]:
    """The pins, in the file's order.

    Raises:
        ValueError: a value is missing or breaks a rule; the message names all that do.
    """
    rows = tomllib.loads(file.read_text(encoding="utf-8")).get("pin", [])
    try:
        pins = [Pin(**row) for row in rows]
    except TypeError as error:
        raise ValueError(f"{file.name}: a [[pin]] has a wrong or missing key: {error}") from error
    if faults := broken_rules(pins):
        raise ValueError(f"{file.name}: " + "; ".join(faults))
    return pins


def broken_rules(pins: list[Pin]) -> list[str]:
    """Every rule that the map breaks, as a sentence each; empty when the map is sound."""
    faults = []
    for pin in pins:
        where = f"{pin.name} on GPIO {pin.gpio}"
        if pin.direction not in DIRECTIONS:
            faults.append(f"{where}: direction {pin.direction!r} is none of {DIRECTIONS}")
        if pin.gpio not in range(40) or pin.gpio in {20, 24, 28, 29, 30, 31}:
            faults.append(f"{where}: an ESP32 has no such GPIO")
        if pin.gpio in FLASH:
            faults.append(f"{where}: belongs to the module's flash")
        if pin.gpio in STRAPPING:
            faults.append(f"{where}: is read at reset (strapping pin)")
        if pin.gpio in CONSOLE:
            faults.append(f"{where}: belongs to the USB console")
        if pin.gpio in INPUT_ONLY and pin.direction != "in":
            faults.append(f"{where}: can only be an input")
        if not pin.name.isidentifier() or pin.name != pin.name.upper():
            faults.append(f"{where}: the name must be a constant's name")
    for what, values in (("name", [p.name for p in pins]), ("GPIO", [str(p.gpio) for p in pins])):
        twice = sorted({value for value in values if values.count(value) > 1})
        faults += [f"{what} {value} is used twice" for value in twice]
    return faults
