"""The header of a journal's sector: a checkpoint of the whole log (format: `sectors.py`).

It stands there twice, so that one bad bit does not cost a sector's facts.
"""

import struct
from binascii import crc32

from port import const

SIZE = const(128)
"""Bytes at the beginning of each sector: two copies."""

_COPY = const(64)
_USED = const(56)
_MAGIC = const(0x4A43)
_VERSION = const(2)
_FORMAT = "<HBBIIIIIIIIIIIII"


def pack(out, generation: int, floor, counts, last, lost) -> None:  # noqa: PLR0917 (as it stands)
    """Fill the first `SIZE` bytes of `out`.

    Args:
        out: A buffer.
        generation: The sector's.
        floor: (generation, offset) of the oldest fact that is kept.
        counts: (appended, forgotten, dropped).
        last: (boot, seq) of the newest fact ever appended.
        lost: (count, boot, seq, boot, seq) of what was dropped and not yet reported.
    """
    struct.pack_into(
        _FORMAT, out, 0, _MAGIC, _VERSION, 0, generation, *floor, *counts, *last, *lost
    )
    struct.pack_into("<I", out, _USED, crc32(memoryview(out)[:_USED]))
    for i in range(_USED + 4, _COPY):
        out[i] = 0xFF
    out[_COPY:SIZE] = out[:_COPY]


def read(flash, sector: int, view):
    """The checkpoint in a sector's header.

    Args:
        flash: The block device.
        sector: Number of the block.
        view: A memoryview of `SIZE` bytes or more, which is overwritten.

    Returns:
        (generation, floor generation, floor offset, appended, forgotten, dropped, last boot,
        last seq, then the five of `lost`), or None if there is no sound header of this place.
    """
    for copy in (0, _COPY):
        flash.readblocks(sector, view[:_COPY], copy)
        fields = struct.unpack_from(_FORMAT, view, 0)
        if fields[0] != _MAGIC or fields[1] != _VERSION:
            continue
        if fields[3] % flash.ioctl(4, 0) != sector:
            continue
        if crc32(view[:_USED]) == struct.unpack_from("<I", view, _USED)[0]:
            return fields[3:]
    return None
