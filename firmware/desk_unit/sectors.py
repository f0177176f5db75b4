"""Sectors of a journal on flash: headers and records, written, read back and checked.

What the records mean is the business of `journal.py`.

Format, version 2. Everything is little-endian, begins on a granule of 16 bytes, is padded with FFh
to whole granules, and is programmed once; nothing is ever programmed over.

Sector header, 128 bytes: a checkpoint of the whole log, so that mounting reads one sector only.
It stands there twice, each copy in 64 bytes (`checkpoint.py`).

    magic u16 4A43h | version u8 | 0 u8 | generation u32 | floor generation u32 |
    floor offset u32 | appended u32 | forgotten u32 | dropped u32 | last boot u32 |
    last seq u32 | dropped and not reported: count, first boot, first seq, last boot,
    last seq u32 | CRC-32 u32 | padding

Fact record: length u8 (of the record with its CRC, without padding) | kind u8 (1..7Ch) |
boot u32 | seq u32 | up u48 ms | at u48 Unix ms, 0 = unknown | clock u8 | body | CRC-32 u32.

Trim record: length u8 (16) | kind u8 7Eh | floor generation u32 | floor offset u16 |
forgotten u32 | CRC-32 u32. Everything in front of the floor is forgotten.

Told record: length u8 (16) | kind u8 7Dh | padding | CRC-32 u32. What was dropped before it has
been reported in a fact.

A record's CRC-32 covers its generation and offset too, so that bytes left over from an earlier
life of the sector are never taken for a record.
"""

import struct
from binascii import crc32

from port import const

from . import checkpoint

HEADER = checkpoint.SIZE
GRANULE = const(16)
LONGEST = const(128)
"""Longest record, in bytes."""
FIXED = const(27)
"""Bytes of a fact's record beside its body."""
MAX_BODY = LONGEST - FIXED
"""Longest type-specific body of a fact, in bytes."""
NOTE = const(16)
"""Length of a record that is no fact."""
TOLD = const(0x7D)
TRIM = const(0x7E)


class JournalError(OSError):
    """The flash did not keep what was written, twice in a row."""


class Sectors:
    """The sectors by their generation.

    Args:
        flash: See `journal.Journal`.

    Raises:
        ValueError: The flash is too small.
    """

    def __init__(self, flash) -> None:
        self._flash = flash
        self.count = flash.ioctl(4, 0)
        self.size = flash.ioctl(5, 0)
        if self.count < 5 or self.size < 256 or self.size % GRANULE:
            raise ValueError("a journal needs 5 erase blocks of 256 bytes or more")
        self.found = bytearray(LONGEST)
        """The record that `record` has found."""
        self.out = bytearray(LONGEST)
        """What `write` writes."""
        self._view = memoryview(self.found)
        self._seed = bytearray(8)

    def erase(self, generation: int) -> None:
        """Erase the sector; blocks 45 ms. Whether it took shows when the sector is begun."""
        try:
            self._flash.ioctl(6, generation % self.count)
        except OSError:
            pass  # a dead block: one that can't be erased does not keep its header either

    def header(self, generation: int):
        """What `checkpoint.read` says of the sector; whose header it is has to be seen there."""
        return checkpoint.read(self._flash, generation % self.count, self._view)

    def begun(self, generation: int):
        """The generation's own header, None if it has none."""
        header = self.header(generation)
        return header if header and header[0] == generation else None

    def generations(self):
        """(oldest, newest) of those that have a header, (0, 0) if there are none."""
        newest = oldest = 0
        for sector in range(self.count):
            header = self.header(sector)
            if header:
                newest = max(newest, header[0])
                oldest = min(oldest or header[0], header[0])
        return oldest, newest

    def begin(self, generation: int, floor, counts, last, lost) -> bool:
        """Write the header of an erased sector; False if it did not hold."""
        checkpoint.pack(self.out, generation, floor, counts, last, lost)
        return self._program(generation, 0, HEADER)

    def record(self, generation: int, offset: int) -> int:
        """Length of the sound record there, left in `found`; 0 if there is none."""
        room = min(LONGEST, self.size - offset)
        self._flash.readblocks(generation % self.count, self._view[:room], offset)
        length = self.found[0]
        if length < NOTE or length > room or not 0 < self.found[1] <= TRIM:
            return 0
        crc = struct.unpack_from("<I", self.found, length - 4)[0]
        return length if self._crc(self._view[: length - 4], generation, offset) == crc else 0

    def records(self, generation: int):
        """Go through the sound records of a sector; yields the offset behind each."""
        offset = HEADER
        while offset + GRANULE <= self.size:
            length = self.record(generation, offset)
            if length:
                offset += padded(length)
                yield offset
            else:
                offset += GRANULE  # torn by a power cut, or blank

    def find(self, cursor: int, end: int) -> int:
        """Cursor of the first fact from `cursor` to `end`, left in `found`; -1 if there is none."""
        while cursor < end:
            generation, offset = divmod(cursor, self.size)
            if offset < HEADER:
                cursor += HEADER - offset
                continue
            length = self.record(generation, offset)
            if length and self.found[1] < TOLD:
                return cursor
            cursor += padded(length) if length else GRANULE
        return -1

    def facts(self, cursor: int, end: int) -> int:
        """How many facts there are from `cursor` to `end`."""
        count, cursor = 0, self.find(cursor, end)
        while cursor >= 0:
            count += 1
            cursor = self.find(cursor + padded(self.found[0]), end)
        return count

    def write(self, generation: int, offset: int, length: int) -> bool:
        """Add the checksum to the record of `length` bytes in `out` and program it.

        Returns:
            False if it did not hold.
        """
        out = self.out
        crc = self._crc(memoryview(out)[: length - 4], generation, offset)
        struct.pack_into("<I", out, length - 4, crc)
        rounded = padded(length)
        for i in range(length, rounded):
            out[i] = 0xFF
        return self._program(generation, offset, rounded)

    def blank_from(self, generation: int) -> int:
        """First offset of a sector behind which every byte is blank.

        A torn write is never written over. On encrypted flash nothing reads as blank, so that
        each start begins a fresh sector there.
        """
        offset = self.size
        while offset > HEADER:
            offset -= GRANULE
            chunk = self._view[:GRANULE]
            self._flash.readblocks(generation % self.count, chunk, offset)
            for byte in chunk:
                if byte != 0xFF:
                    return offset + GRANULE
        return offset

    def _program(self, generation: int, offset: int, length: int) -> bool:
        """Write `out` and read it back; False if it did not hold."""
        data = memoryview(self.out)[:length]
        sector = generation % self.count
        back = self._view[:length]
        try:
            self._flash.writeblocks(sector, data, offset)
            self._flash.readblocks(sector, back, offset)
        except OSError:
            return False
        return back == data

    def _crc(self, data, generation: int, offset: int) -> int:
        struct.pack_into("<II", self._seed, 0, generation, offset)
        return crc32(data, crc32(self._seed))


def padded(length: int) -> int:
    """`length` rounded up to whole granules."""
    return (length + GRANULE - 1) // GRANULE * GRANULE


def pack_fact(out, kind, boot, seq, up, at, clock, body) -> int:  # noqa: PLR0917 (columns)
    """Put a fact's record into `out`, without its checksum; its length.

    Raises:
        ValueError: The body is too long.
    """
    if len(body) > MAX_BODY:
        raise ValueError("a fact's body has at most %d bytes" % MAX_BODY)
    # fmt: off
    struct.pack_into(
        "<BBIIIHIHB", out, 0, FIXED + len(body), kind, boot, seq,
        up & 0xFFFFFFFF, up >> 32, at & 0xFFFFFFFF, at >> 32, clock,
    )
    # fmt: on
    out[FIXED - 4 : FIXED - 4 + len(body)] = body
    return FIXED + len(body)


def unpack_fact(found):
    """(kind, boot, seq, up, at, clock, body) of a fact's record."""
    length, kind, boot, seq, low, high, at_low, at_high, clock = struct.unpack_from(
        "<BBIIIHIHB", found, 0
    )
    body = bytes(memoryview(found)[FIXED - 4 : length - 4])
    return kind, boot, seq, high << 32 | low, at_high << 32 | at_low, clock, body
