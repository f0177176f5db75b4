"""The simulated board itself: what a real one would refuse, it refuses too."""

import struct
from pathlib import Path

from sim.serial_board import slip
from sim.serial_board.flash import Flash
from sim.serial_board.loader import Loader


def ask(loader_of: tuple[Loader, bytearray], op: int, data: bytes, checksum: int = 0) -> bytes:
    """The answer's body, value, data and status, after one command."""
    loader, wire = loader_of
    wire.clear()
    loader.feed(slip.encode(struct.pack("<BBHI", 0, op, len(data), checksum) + data))
    (answer, *_) = slip.Decoder().feed(bytes(wire))
    return answer[8:]


def make(folder: Path) -> tuple[Loader, bytearray, Flash]:
    flash = Flash(folder / "flash")
    wire = bytearray()
    return Loader(flash, b"\x24\x6f\x28\x00\x00\x01", wire.extend, lambda: None), wire, flash


def test_flash_only_clears_bits_until_it_is_erased(tmp_path: Path):
    flash = Flash(tmp_path / "flash")
    flash.write(0x1000, b"\x0f\xff")
    flash.write(0x1000, b"\xfc\x00")
    assert flash.read(0x1000, 3) == b"\x0c\x00\xff"
    flash.erase(0x1001, 1)
    assert flash.read(0x1000, 3) == b"\xff\xff\xff"


def test_a_block_with_a_wrong_checksum_or_out_of_order_is_refused(tmp_path: Path):
    loader, wire, flash = make(tmp_path)
    ask((loader, wire), 0x02, struct.pack("<IIII", 4096, 4, 1024, 0))
    block = struct.pack("<IIII", 4, 0, 0, 0) + b"\x01\x02\x03\x04"
    assert ask((loader, wire), 0x03, block, 0xEF)[:2] == b"\x01\x07"
    later = struct.pack("<IIII", 4, 1, 0, 0) + b"\x01\x02\x03\x04"
    assert ask((loader, wire), 0x03, later, 0xEF ^ 4)[:2] == b"\x01\x06"
    assert flash.read(0, 4) == b"\xff" * 4
    assert ask((loader, wire), 0x03, block, 0xEF ^ 4)[:2] == b"\x00\x00"
    assert flash.read(0, 4) == b"\x01\x02\x03\x04"


def test_the_rom_does_not_know_the_stubs_commands(tmp_path: Path):
    loader, wire, _ = make(tmp_path)
    assert ask((loader, wire), 0xD0, b"") == b"\x01\x05\x00\x00"


def test_slip_skips_noise_between_packets_and_undoes_every_escape():
    packet = bytes(range(256))
    decoder = slip.Decoder()
    got = [p for byte in b"noise" + slip.encode(packet) for p in decoder.feed(bytes((byte,)))]
    assert got == [packet]
