import dataclasses
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_bridge.provision import image, partitions
from host_bridge.provision.errors import SetupError
from host_bridge.provision.partitions import Partition
from tests.provision import workshop

TABLE = partitions.load(workshop.ROOT / "hardware/partitions.csv")


def changed(label: str, **fields: int) -> list[Partition]:
    return [dataclasses.replace(p, **fields) if p.label == label else p for p in TABLE]  # type: ignore[arg-type]


def test_our_table_fills_4_mib_without_a_hole_and_app_slots_begin_at_64_kib_steps():
    partitions.check(TABLE)
    for before, after in itertools.pairwise(TABLE):
        assert before.end == after.offset
    assert TABLE[-1].end == 4 * 1024 * 1024
    assert [p.offset % 0x10000 for p in TABLE if p.kind == "app"] == [0, 0]


def test_our_table_has_the_partitions_that_the_firmware_looks_for():
    sizes = {p.label: p.size // 1024 for p in TABLE}
    assert sizes == {
        "nvs": 16, "otadata": 8, "phy_init": 4, "ota_0": 1536, "ota_1": 1536,
        "vfs": 400, "button": 48, "journal": 512,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (changed("ota_1", offset=0x18F000), "multiple of 0x10000"),
        (changed("vfs", offset=0x30F000), "begins before"),
        (changed("button", offset=0x374800), "multiple of 0x1000"),
        (changed("journal", size=511 * 1024), "multiple of 0x1000"),
        (changed("journal", size=508 * 1024), "not at the flash's end"),
        (changed("journal", size=516 * 1024), "not at the flash's end"),
        (changed("nvs", offset=0x8000), "begins before 0x9000"),
        ([*TABLE, TABLE[-1]], "same label"),
        (TABLE[:-1], "needs these partitions too: journal"),
    ],
)
def test_a_table_that_breaks_a_rule_is_refused(table: list[Partition], why: str):
    with pytest.raises(ValueError, match=why):
        partitions.check(table)


def test_the_binary_form_is_the_boot_loaders():
    """ESP-IDF, "Partition Tables": the first entry of our table, written out by hand."""
    binary = partitions.encode(TABLE)
    assert (
        binary[:32]
        == bytes.fromhex("aa50 0102 00900000 00400000") + b"nvs".ljust(16, b"\0") + b"\0" * 4
    )
    assert len(binary) == 0xC00
    assert binary[32 * 8 : 32 * 8 + 16] == b"\xeb\xeb" + b"\xff" * 14
    assert binary[32 * 9 :] == b"\xff" * (0xC00 - 32 * 9)


def test_what_is_encoded_is_decoded():
    assert partitions.decode(partitions.encode(TABLE)) == TABLE


@given(st.integers(0, 32 * 9 - 1), st.integers(0, 7))
def test_a_flipped_bit_in_the_binary_form_is_found(at: int, bit: int):
    binary = bytearray(partitions.encode(TABLE))
    binary[at] ^= 1 << bit
    with pytest.raises(ValueError, match=r"MD5|no partition table"):
        partitions.decode(bytes(binary))


@pytest.mark.parametrize("row", ["x,data,nvs,0x9000", "x,data,what,0,1K", "x,app,ota_0,0x1g,1K"])
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, row: str):
    path = tmp_path / "partitions.csv"
    path.write_text(f"# comment\n{row}\n")
    with pytest.raises(SetupError, match="line 2"):
        partitions.load(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not MicroPython's whole image"),
        (b"\xe9" + b"\xff" * 0x10000, "not MicroPython's whole image"),
        (workshop.image(1536 * 1024), "only 1572864"),
    ],
)
def test_an_image_that_can_not_start_is_refused(tmp_path: Path, content: bytes, why: str):
    path = tmp_path / "ESP32.bin"
    path.write_bytes(content)
    with pytest.raises(SetupError, match=why):
        image.prepare(path, TABLE)
