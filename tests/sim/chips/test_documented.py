"""docs/chips.md says what the chip models do: each of its tables is held against the model."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.chips import mfrc522_registers as reg
from sim.chips.clock import ManualClock
from sim.chips.ld2410 import LD2410Model
from sim.chips.mfrc522 import MFRC522Model
from sim.chips.pn532 import PN532Model
from sim.chips.ssd1306 import SSD1306Model

DOCUMENT = (Path(__file__).parents[3] / "docs" / "chips.md").read_text(encoding="utf-8")


def table(chapter: str, first: str) -> list[list[str]]:
    """The rows of the table in a chapter whose first column is called so."""
    text = DOCUMENT.split(f"\n## {chapter}")[1].split("\n## ")[0]
    rows = text.split(f"| {first} |")[1].split("\n\n")[0].split("\n")[2:]
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]


REGISTERS = table("MFRC522", "register")


class Chip:
    """An MFRC522 that has woken up, access by access."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.model = MFRC522Model(self.clock)
        self.model.rst(0)
        self.model.rst(1)
        self.clock.pass_ms(5)

    def _transfer(self, data: bytes) -> bytes:
        self.model.cs(0)
        answer = self.model.transfer(data)
        self.model.cs(1)
        return answer

    def read(self, register: int) -> int:
        return self._transfer(bytes((0x80 | register << 1, 0)))[1]

    def write(self, register: int, value: int) -> None:
        self._transfer(bytes((register << 1, value)))


def test_every_register_is_there_once_in_order() -> None:
    assert [int(row[0], 16) for row in REGISTERS] == list(range(64))


@pytest.mark.parametrize("row", REGISTERS, ids=lambda row: row[0])
def test_a_register_reads_after_power_up_as_documented(row: list[str]) -> None:
    assert Chip().read(int(row[0], 16)) == int(row[2], 16)


def test_registers_that_have_names_in_the_model_are_modelled_and_no_others() -> None:
    end = list(vars(reg)).index("READ_ONLY")
    names = {value for name, value in list(vars(reg).items())[:end] if name.isupper()}
    assert {int(row[0], 16) for row in REGISTERS if row[3] == "modelled"} == names
    assert {row[3] for row in REGISTERS} == {"modelled", "kept"}


@pytest.mark.parametrize(
    "register", [int(row[0], 16) for row in REGISTERS if row[3] == "kept"], ids=hex
)
def test_a_register_that_is_kept_gives_back_what_was_written_and_changes_no_other(
    register: int,
) -> None:
    chip = Chip()
    before = [chip.read(each) for each in range(64)]
    chip.write(register, 0x5A)
    before[register] = 0x5A
    assert [chip.read(each) for each in range(64)] == before


def test_a_register_that_is_read_only_does_not_change() -> None:
    read_only = [row for row in REGISTERS if "read only" in row[-1]]
    assert len(read_only) == 5
    for row in read_only:
        chip = Chip()
        chip.write(int(row[0], 16), 0x5A)
        assert chip.read(int(row[0], 16)) == int(row[2], 16)


def test_the_commands_of_the_mfrc522_are_those_of_the_table() -> None:
    rows = {int(row[0], 16): row[2] for row in table("MFRC522", "command")}
    modelled = {number for number, model in rows.items() if "without effect" not in model}
    assert modelled == {*MFRC522Model(ManualClock())._commands, reg.NO_CHANGE}


def test_the_commands_of_the_pn532_are_those_of_the_table() -> None:
    documented = {int(row[0], 16) for row in table("PN532", "command")}
    assert documented == set(PN532Model(ManualClock())._commands)


def answered(command: int, value: bytes) -> bool:
    """Does the radar, in configuration mode, take this command?"""
    clock = ManualClock()
    radar = LD2410Model(clock, quiet_in_config=True)
    for code, word in ((0xFF, b"\x01\x00"), (command, value)):
        body = bytes((code, 0)) + word
        head = b"\xfd\xfc\xfb\xfa" + bytes((len(body), 0))
        radar.write(head + body + b"\x04\x03\x02\x01")
        clock.pass_ms(50)
    said = b""
    while radar.any():
        said += radar.read(radar.any())
    acknowledgement = re.search(b"\xfd\xfc\xfb\xfa..%s\x01(..)" % re.escape(bytes([command])), said,
                                re.DOTALL)  # fmt: skip
    assert acknowledgement, f"{command:02X} is not acknowledged at all"
    return acknowledgement[1] == b"\x00\x00"


def test_the_commands_of_the_radar_are_those_of_the_table() -> None:
    documented = {int(row[0], 16) for row in table("LD2410", "command")}
    three = b"".join(bytes((n, 0, 2, 0, 0, 0)) for n in range(3))
    values = (b"", b"\x01\x00", three)
    taken = {code for code in range(256) if any(answered(code, value) for value in values)}
    assert taken == documented


def codes(cell: str) -> Iterator[int]:
    first, _, last = cell.partition("-")
    yield from range(int(first, 16), int(last or first, 16) + 1)


def test_the_commands_of_the_display_are_those_of_the_table() -> None:
    documented = {code for row in table("SSD1306", "commands") for code in codes(row[0])}
    known = set()
    for code in range(256):
        display = SSD1306Model()
        display.write(b"\x00" + bytes([code]) + bytes(6))
        other = SSD1306Model()
        other.write(b"\x00" + bytes([code]))
        known |= {code} if display.unknown == other.unknown == 0 else set()
    assert known == documented
