"""The records of a journal, between the headers of its sectors. Little-endian.

Fact: length u8 (of the record with its CRC, without padding) | kind u8 (1..7Ch) |
boot u32 | seq u32 | up u48 ms | at u48 Unix ms, 0 = unknown | clock u8 | body | CRC-32 u32.

Trim: length u8 (16) | kind u8 7Eh | floor generation u32 | floor offset u16 |
forgotten u32 | CRC-32 u32. Everything in front of the floor is forgotten.

Told: length u8 (16) | kind u8 7Dh | padding | CRC-32 u32. What was dropped before it has
been reported in a fact.

The CRC is the business of `sectors.py`.
"""

import struct

from port import const

from .sectors import LONGEST

TOLD = const(0x7D)
TRIM = const(0x7E)
NOTE_LENGTH = const(16)
"""Length of a trim or told record."""

_FIXED = const(23)
_FACT = "<BBIIIHIHB"

MAX_BODY = LONGEST - _FIXED - 4
"""Longest type-specific body of a fact, in bytes."""


def pack(out, fact) -> int:
    """Put a fact (kind, boot, seq, up, at, clock, body) into `out`; the record's length.

    Raises:
        ValueError: The body is too long.
    """
    kind, boot, seq, up, at, clock, body = fact
    length = _FIXED + len(body) + 4
    if length > LONGEST:
        raise ValueError("a fact's body has at most %d bytes" % MAX_BODY)
    # fmt: off
    struct.pack_into(
        _FACT, out, 0, length, kind, boot, seq,
        up & 0xFFFFFFFF, up >> 32, at & 0xFFFFFFFF, at >> 32, clock,
    )
    # fmt: on
    out[_FIXED : _FIXED + len(body)] = body
    return length


def unpack(buffer):
    """(length, kind, boot, seq, up, at, clock, body) of the fact in `buffer`."""
    fields = struct.unpack_from(_FACT, buffer, 0)
    length, kind, boot, seq, low, high, at_low, at_high, clock = fields
    body = bytes(memoryview(buffer)[_FIXED : length - 4])
    return length, kind, boot, seq, high << 32 | low, at_high << 32 | at_low, clock, body
