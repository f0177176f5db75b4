"""The partition table: read from ESP-IDF's CSV form, checked, written in the chip's binary form.

Format: ESP-IDF Programming Guide, "Partition Tables". An entry has 32 bytes: magic AA 50, type,
subtype, offset u32, size u32, label of 16 bytes, flags u32, all little-endian. After the last entry
comes EB EB, fourteen FF and the MD5 of all entries; FF fills the rest up to 0xC00 bytes.
"""

import csv
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from host_bridge.provision.errors import SetupError

TABLE_OFFSET = 0x8000
"""Where the table lies in flash."""

TABLE_SIZE = 0xC00
FLASH_SIZE = 4 * 1024 * 1024

_NEEDED = {"nvs", "otadata", "ota_0", "ota_1", "vfs", "button", "journal"}
_FIRST = 0x9000
_SECTOR = 0x1000
_APP_ALIGNMENT = 0x10000
_ENTRY = struct.Struct("<2sBBII16sI")
_MAGIC = b"\xaa\x50"
_MD5_MARK = b"\xeb\xeb" + b"\xff" * 14
_TYPES = {"app": 0x00, "data": 0x01}
_SUBTYPES = {
    "app": {"factory": 0x00, "ota_0": 0x10, "ota_1": 0x11},
    "data": {"ota": 0x00, "phy": 0x01, "nvs": 0x02, "undefined": 0x06, "fat": 0x81},
}


@dataclass(frozen=True, kw_only=True)
class Partition:
    """One partition. `offset` and `size` are bytes; `kind` is "app" or "data"."""

    label: str
    kind: str
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.size


def load(path: Path) -> list[Partition]:
    """Read and check a partition table.

    Raises:
        SetupError: The file can't be read, a row is wrong, or the rows break a rule.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(path, f"it can't be read ({error})") from error
    table = []
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if cells and cells[0] and not cells[0].startswith("#"):
            try:
                table.append(_partition(cells))
            except (ValueError, KeyError) as error:
                raise _wrong(path, f"line {number}: {error}") from error
    try:
        check(table)
    except ValueError as error:
        raise _wrong(path, str(error)) from error
    return table


def check(table: list[Partition]) -> None:
    """Hold the rules: nothing missing, in order, no overlap, aligned, filling 4 MiB to the end.

    Raises:
        ValueError: Names the partition and the rule that it breaks.
    """
    labels = [part.label for part in table]
    if len(set(labels)) != len(labels):
        raise ValueError("two partitions have the same label")
    if missing := _NEEDED - set(labels):
        raise ValueError(f"the firmware needs these partitions too: {', '.join(sorted(missing))}")
    free = _FIRST
    for part in table:
        step = _APP_ALIGNMENT if part.kind == "app" else _SECTOR
        if part.offset % step:
            raise ValueError(f"{part.label} does not begin at a multiple of {step:#x}")
        if part.size <= 0 or part.size % _SECTOR:
            raise ValueError(f"{part.label}: its size is not a multiple of {_SECTOR:#x}")
        if part.offset < free:
            raise ValueError(f"{part.label} begins before {free:#x}, where the one before it ends")
        free = part.end
    if free != FLASH_SIZE:
        raise ValueError(f"the table ends at {free:#x} and not at the flash's end, {FLASH_SIZE:#x}")


def encode(table: list[Partition]) -> bytes:
    """The table as the boot loader reads it, `TABLE_SIZE` bytes."""
    entries = b"".join(
        _ENTRY.pack(_MAGIC, _TYPES[p.kind], p.subtype, p.offset, p.size, p.label.encode("ascii"), 0)
        for p in table
    )
    whole = entries + _MD5_MARK + hashlib.md5(entries, usedforsecurity=False).digest()
    return whole.ljust(TABLE_SIZE, b"\xff")


def decode(data: bytes) -> list[Partition]:
    """Read the binary form.

    Raises:
        ValueError: It does not begin with an entry, or its MD5 is missing or wrong.
    """
    table = []
    kinds = {code: kind for kind, code in _TYPES.items()}
    at = 0
    while data[at : at + 2] == _MAGIC and at + _ENTRY.size <= len(data):
        _, kind, subtype, offset, size, label, _ = _ENTRY.unpack_from(data, at)
        name = label.rstrip(b"\x00").decode("ascii", "replace")
        table.append(
            Partition(
                label=name, kind=kinds.get(kind, "?"), subtype=subtype, offset=offset, size=size
            )
        )
        at += _ENTRY.size
    if not table:
        raise ValueError("this is no partition table")
    digest = hashlib.md5(data[:at], usedforsecurity=False).digest()
    if data[at : at + 32] != _MD5_MARK + digest:
        raise ValueError("the partition table's MD5 is wrong")
    return table


def find(table: list[Partition], label: str) -> Partition:
    """The partition with this label.

    Raises:
        KeyError: There is none.
    """
    for part in table:
        if part.label == label:
            return part
    raise KeyError(label)


def _partition(cells: list[str]) -> Partition:
    if len(cells) not in {5, 6}:
        raise ValueError("a row is: name, type, subtype, offset, size")
    label, kind, subtype, offset, size = cells[:5]
    if not 1 <= len(label) <= 15 or not label.isascii():
        raise ValueError("a label has 1 to 15 ASCII characters")
    if kind not in _TYPES or subtype not in _SUBTYPES[kind]:
        raise ValueError(f"unknown type or subtype: {kind}, {subtype}")
    return Partition(
        label=label,
        kind=kind,
        subtype=_SUBTYPES[kind][subtype],
        offset=_bytes(offset),
        size=_bytes(size),
    )


def _bytes(text: str) -> int:
    """A number of bytes: decimal, 0x…, or with K or M behind it."""
    unit = {"K": 1024, "M": 1024 * 1024}.get(text[-1:].upper(), 1)
    return int(text[:-1] if unit > 1 else text, 0) * unit


def _wrong(path: Path, what: str) -> SetupError:
    return SetupError(f"{path}: {what}.", todo="Correct the file and start again.")
