"""A ring of flash sectors with checked records in them (format: `journal.py`).

Generation g of a log, counted from 1, lives in sector g % count. What is written is read back; a
record's CRC-32 covers its place, so that bytes left over from an earlier life of a sector, or torn
by a power cut, are never taken for a record.
"""

import struct
from binascii import crc32

from port import const

GRANULE = const(16)
"""Everything begins on a multiple of so many bytes, and is padded with FFh up to one."""

LONGEST = const(128)
"""Longest record, in bytes."""

_SHORTEST = const(16)
_LAST_KIND = const(0x7E)


class Sectors:
    """Reads, programs and erases.

    Args:
        flash: Block device with the extended interface of `esp32.Partition`, see `journal.Journal`.
    """

    def __init__(self, flash) -> None:
        self.flash = flash
        self.count = flash.ioctl(4, 0)
        """Sectors in the ring."""
        self.size = flash.ioctl(5, 0)
        """Bytes in a sector."""
        if self.count < 3 or self.size < 256 or self.size % GRANULE:
            raise ValueError("a journal needs 3 erase blocks of 256 bytes or more")
        self.buffer = bytearray(LONGEST)
        """What was read last."""
        self.view = memoryview(self.buffer)
        self.out = bytearray(LONGEST)
        """What is to be written."""
        self._seed = bytearray(8)

    def erase(self, generation: int) -> None:
        """Erase the sector of `generation`; blocks for about 45 ms."""
        self.flash.ioctl(6, generation % self.count)

    def record(self, generation: int, offset: int) -> int:
        """Length of the sound record there, left in `buffer`; 0 if there is none."""
        room = min(LONGEST, self.size - offset)
        self.flash.readblocks(generation % self.count, self.view[:room], offset)
        length = self.buffer[0]
        if length < _SHORTEST or length > room or not 0 < self.buffer[1] <= _LAST_KIND:
            return 0
        crc = struct.unpack_from("<I", self.buffer, length - 4)[0]
        return length if self._crc(self.view[: length - 4], generation, offset) == crc else 0

    def write(self, length: int, generation: int, offset: int) -> bool:
        """Program the record of `length` bytes in `out`; False if it did not hold."""
        out = self.out
        crc = self._crc(memoryview(out)[: length - 4], generation, offset)
        struct.pack_into("<I", out, length - 4, crc)
        for i in range(length, padded(length)):
            out[i] = 0xFF
        return self.program(padded(length), generation, offset)

    def program(self, length: int, generation: int, offset: int) -> bool:
        """Program the first `length` bytes of `out` and read them back."""
        data = memoryview(self.out)[:length]
        sector = generation % self.count
        self.flash.writeblocks(sector, data, offset)
        back = self.view[:length]
        self.flash.readblocks(sector, back, offset)
        return back == data

    def blank_from(self, generation: int, least: int) -> int:
        """First offset, from `least` on, behind which every byte of the sector is blank.

        A torn write is never written over. On encrypted flash nothing reads as blank, so that
        each start begins a fresh sector there.
        """
        offset = self.size
        chunk = self.view[:GRANULE]
        while offset > least:
            offset -= GRANULE
            self.flash.readblocks(generation % self.count, chunk, offset)
            for byte in chunk:
                if byte != 0xFF:
                    return offset + GRANULE
        return offset

    def _crc(self, data, generation: int, offset: int) -> int:
        struct.pack_into("<II", self._seed, 0, generation, offset)
        return crc32(data, crc32(self._seed))


def padded(length: int) -> int:
    """`length` up to whole granules."""
    return (length + GRANULE - 1) // GRANULE * GRANULE
