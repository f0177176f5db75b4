"""The simulated flash is laid out as the board's table says."""

from host_bridge.provision import partitions
from sim.board import flash_map
from sim.vm import ROOT

FILE = ROOT / "hardware" / "partitions.csv"


def test_the_simulated_board_has_the_partitions_of_the_board():
    kinds = {"app": 0, "data": 1}
    assert flash_map.load(str(FILE)) == {
        part.label: (kinds[part.kind], part.subtype, part.offset, part.size)
        for part in partitions.load(FILE)
    }


def test_no_other_file_of_the_simulator_repeats_an_address_of_the_flash():
    offsets = {f"0x{part.offset:x}" for part in partitions.load(FILE) if part.offset >= 0x100000}
    for file in (ROOT / "sim").rglob("*.py"):
        text = file.read_text(encoding="utf-8").lower()
        assert not {offset for offset in offsets if offset in text}, file
