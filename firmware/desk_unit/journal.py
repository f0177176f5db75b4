"""A log of facts on raw NOR flash that survives a power cut at any byte of any write or erase.

Format, version 2 (docs/firmware.md, "The journal on flash", has the reasons). The partition is
a ring of sectors (erase blocks). Generation g of the log, counted from 1, lives in sector
g % sectors. Everything is little-endian, begins on a granule of 16 bytes, is padded with FFh to
whole granules, and is programmed once; nothing is ever programmed over.

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

_GRANULE = const(16)
_HEADER = checkpoint.SIZE
_FIXED = const(23)
_LONGEST = const(128)
_TOLD = const(0x7D)
_TRIM = const(0x7E)
_NOTE_LENGTH = const(16)
_NOTHING = (0, 0, 0, 0, 0)

MAX_BODY = _LONGEST - _FIXED - 4
"""Longest type-specific body of a fact, in bytes."""


class JournalError(OSError):
    """The flash did not keep what was written, twice in a row."""


class Journal:
    """The facts of one lane that the host has not acknowledged yet, oldest first.

    A *cursor* is a place in the log, `generation * block size + offset`; cursors only grow.
    `append`, `commit` and `tidy` block for the flash: about 1 ms a write, 45 ms an erase.

    Args:
        flash: Block device with the extended interface of `esp32.Partition`: `readblocks` and
            `writeblocks` with an offset in bytes, `ioctl` 4 (count), 5 (size) and 6 (erase).
            At least 3 blocks of at least 256 bytes.
    """

    def __init__(self, flash) -> None:
        self._flash = flash
        self._sectors = flash.ioctl(4, 0)
        self._size = flash.ioctl(5, 0)
        if self._sectors < 3 or self._size < 256 or self._size % _GRANULE:
            raise ValueError("a journal needs 3 erase blocks of 256 bytes or more")
        self._buffer = bytearray(_LONGEST)
        self._view = memoryview(self._buffer)
        self._out = bytearray(_LONGEST)
        self._seed = bytearray(8)
        self._generation = 0
        self._offset = 0
        self._ready = False
        self._oldest = 0
        self._committed = 0
        self._appended = 0
        self._forgotten = 0
        self.floor = 0
        """Cursor in front of the oldest fact that is kept."""
        self.dropped = 0
        """Facts forgotten without acknowledgement because the ring was full, since it was last
        found empty at a start."""
        self.lost = _NOTHING
        """What of it no fact has reported yet: (count, boot and seq of the first, of the last)."""
        self.last = (0, 0)
        """Boot and sequence number of the newest fact ever appended; (0, 0) if none."""

    @property
    def waiting(self) -> int:
        """How many facts are kept."""
        return self._appended - self._forgotten

    @property
    def forgotten(self) -> int:
        """How many facts were ever forgotten; with `waiting` it numbers the facts."""
        return self._forgotten

    def mount(self) -> None:
        """Find the end of the log, or begin one on flash that holds none.

        Raises:
            JournalError: The flash can't be formatted.
            OSError: The flash can't be read.
        """
        newest = oldest = 0
        for sector in range(self._sectors):
            header = checkpoint.read(self._flash, sector, self._view)
            if header:
                generation = header[0]
                newest = max(newest, generation)
                oldest = min(oldest or generation, generation)
        if not newest:
            self.floor = self._size
            self._open(1)
            self._oldest = 1
            return
        self._generation = newest
        self._oldest = max(oldest, newest + 2 - self._sectors)
        self._restore()
        if not self.waiting:
            self.dropped = 0

    def append(  # noqa: PLR0917 (the columns of a record, in their order)
        self, kind: int, boot: int, seq: int, up: int, at: int, clock: int, body: bytes
    ) -> None:
        """Write one fact; it is durable when this returns.

        Args:
            kind: The type's number, 1..124.
            boot: The boot it belongs to.
            seq: Its number within boot and lane.
            up: Uptime in milliseconds when it happened.
            at: The unit's clock then, Unix milliseconds; 0 if unknown.
            clock: That clock's quality, as a number.
            body: What is particular to the type, at most `MAX_BODY` bytes.

        Raises:
            ValueError: The body is too long.
            JournalError: The flash did not keep it; nothing was appended.
        """
        length = _FIXED + len(body) + 4
        if length > _LONGEST:
            raise ValueError("a fact's body has at most %d bytes" % MAX_BODY)
        out = self._out
        # fmt: off
        struct.pack_into(
            "<BBIIIHIHB", out, 0, length, kind, boot, seq,
            up & 0xFFFFFFFF, up >> 32, at & 0xFFFFFFFF, at >> 32, clock,
        )
        # fmt: on
        out[_FIXED : _FIXED + len(body)] = body
        if not self._write(length):
            self._offset = self._size  # this sector is not to be trusted any more
            if not self._write(length):
                raise JournalError("the journal's flash does not keep what is written")
        self._appended += 1
        self.last = (boot, seq)

    def read(self, cursor: int):
        """The first kept fact at or after `cursor`.

        Returns:
            (cursor behind it, kind, boot, seq, up, at, clock, body), or None at the end.
        """
        start = self._find(max(cursor, self.floor))
        if start < 0:
            return None
        length, kind, boot, seq, low, high, at_low, at_high, clock = struct.unpack_from(
            "<BBIIIHIHB", self._buffer, 0
        )
        body = bytes(self._view[_FIXED : length - 4])
        behind = start + _padded(length)
        return behind, kind, boot, seq, high << 32 | low, at_high << 32 | at_low, clock, body

    def forget(self, boot: int, spans, limit: int = 32):
        """Let go of the oldest facts as long as they are of `boot` and lie within a span.

        The change is durable after `commit` (or when the next sector begins); a power cut in
        between brings the facts back, and they are sent again. Bounded by `limit` so that the
        caller can let other tasks run in between.

        Args:
            boot: The boot that the acknowledgement names.
            spans: Inclusive (first, last) pairs of sequence numbers.
            limit: Most facts to look at in this call.

        Returns:
            The number of facts forgotten, and the sequence number of the last of them (0 if none).
        """
        seq = count = 0
        while count < limit:
            start = self._find(self.floor)
            if start < 0:
                self._forgotten = self._appended
                break
            length, _, of, number = struct.unpack_from("<BBII", self._buffer, 0)
            if of != boot or not _within(number, spans):
                break
            seq = number
            count += 1
            self._forgotten += 1
            self.floor = start + _padded(length)
        if not self.waiting:
            self.floor = self._end()
        return count, seq

    def commit(self) -> None:
        """Make what was forgotten durable: one trim record, however many facts it covers."""
        if self._committed == self.floor:
            return
        generation, offset = divmod(self.floor, self._size)
        struct.pack_into("<IHI", self._out, 2, generation, offset, self._forgotten)
        if self._note(_TRIM):
            self._committed = self.floor

    def told(self, lost) -> None:
        """What was dropped has been reported: forget `lost`, unless it has grown meanwhile."""
        if self.lost == lost:
            self.lost = _NOTHING
            self._note(_TOLD)

    def tidy(self) -> bool:
        """Erase at most one sector ahead of need; call it when there is time (blocks 45 ms).

        Afterwards an append needn't wait for an erase, and facts that the host has are soon gone
        from the flash too.

        Returns:
            True if it erased one, so that there may be more.
        """
        if not self._ready:
            self._erase(self._generation + 1)
            self._ready = True
            return True
        released = self._committed // self._size
        if self._oldest < released:
            # The next sector of the ring is erased already, and may hold a smaller generation.
            self._oldest = max(self._oldest, self._generation + 2 - self._sectors)
        if self._oldest < released:
            self._erase(self._oldest)
            self._oldest += 1
            return True
        return False

    def _note(self, kind: int) -> bool:
        """Write a record of 16 bytes; False if the next sector's header says it instead."""
        if self._offset + _NOTE_LENGTH <= self._size:
            struct.pack_into("<BB", self._out, 0, _NOTE_LENGTH, kind)
            if self._write(_NOTE_LENGTH):
                return True
        self._open(self._generation + 1)
        return False

    def _end(self) -> int:
        return self._generation * self._size + self._offset

    def _erase(self, generation: int) -> None:
        self._flash.ioctl(6, generation % self._sectors)

    def _open(self, generation: int) -> None:
        """Begin a sector. Its header repeats the log's whole state, the floor among it."""
        self._give_up_oldest(generation)
        for _ in range(2):
            # A sector that looks blank may be half erased: only one erased since the start counts.
            if not self._ready:
                self._erase(generation)
            self._ready = False
            if self._write_header(generation):
                self._generation = generation
                self._offset = _HEADER
                self._committed = self.floor
                return
        raise JournalError("the journal's flash does not keep what is written")

    def _give_up_oldest(self, generation: int) -> None:
        """Raise the floor so that the sector after `generation` may be erased.

        That is the invariant which makes every erase safe: the header of the newest sector
        says that whatever stood in the sector after it is forgotten.
        """
        lowest = generation + 2 - self._sectors
        if self.floor // self._size >= lowest:
            return
        first = self._key_at(self.floor)
        self.floor = lowest * self._size
        header = checkpoint.read(self._flash, lowest % self._sectors, self._view)
        if header and header[0] == lowest and header[3] > self._forgotten:
            count = header[3] - self._forgotten
            self._forgotten = header[3]
            self.dropped += count
            first = self.lost[1:3] if self.lost[0] else first
            self.lost = (self.lost[0] + count,) + first + header[6:8]

    def _key_at(self, cursor: int):
        """(boot, seq) of the first fact at or after `cursor`; (0, 0) if there is none."""
        return struct.unpack_from("<II", self._buffer, 2) if self._find(cursor) >= 0 else (0, 0)

    def _write_header(self, generation: int) -> bool:
        floor = divmod(self.floor, self._size)
        counts = (self._appended, self._forgotten, self.dropped)
        checkpoint.pack(self._out, generation, floor, counts, self.last, self.lost)
        return self._program(generation, 0, _HEADER)

    def _restore(self) -> None:
        """Take over the newest sector: its checkpoint, then what was appended behind it."""
        header = checkpoint.read(self._flash, self._generation % self._sectors, self._view)
        self.floor = header[1] * self._size + header[2]
        self._appended, self._forgotten, self.dropped = header[3:6]
        self.last = header[6:8]
        self.lost = header[8:]
        offset = end = _HEADER
        while offset + _GRANULE <= self._size:
            length = self._record(self._generation, offset)
            if not length:
                offset += _GRANULE  # torn by a power cut, or blank
                continue
            offset += _padded(length)
            end = offset
            self._replay()
        self._offset = max(end, self._blank_from())
        self._committed = self.floor

    def _replay(self) -> None:
        """Apply the record in the buffer to the checkpoint."""
        if self._buffer[1] == _TRIM:
            generation, offset, forgotten = struct.unpack_from("<IHI", self._buffer, 2)
            self.floor = generation * self._size + offset
            self._forgotten = forgotten
        elif self._buffer[1] == _TOLD:
            self.lost = _NOTHING
        else:
            self._appended += 1
            self.last = struct.unpack_from("<II", self._buffer, 2)

    def _blank_from(self) -> int:
        """First offset of the newest sector behind which every byte is blank.

        A torn write is never written over. On encrypted flash nothing reads as blank, so that
        each start begins a fresh sector there.
        """
        offset = self._size
        while offset > _HEADER:
            offset -= _GRANULE
            chunk = self._view[:_GRANULE]
            self._flash.readblocks(self._generation % self._sectors, chunk, offset)
            for byte in chunk:
                if byte != 0xFF:
                    return offset + _GRANULE
        return offset

    def _record(self, generation: int, offset: int) -> int:
        """Length of the sound record there, left in the buffer; 0 if there is none."""
        room = min(_LONGEST, self._size - offset)
        self._flash.readblocks(generation % self._sectors, self._view[:room], offset)
        length = self._buffer[0]
        if length < _NOTE_LENGTH or length > room or not 0 < self._buffer[1] <= _TRIM:
            return 0
        crc = struct.unpack_from("<I", self._buffer, length - 4)[0]
        return length if self._crc(self._view[: length - 4], generation, offset) == crc else 0

    def _find(self, cursor: int) -> int:
        """Cursor of the first fact at or after `cursor`, left in the buffer; -1 at the end."""
        end = self._end()
        while cursor < end:
            generation, offset = divmod(cursor, self._size)
            if offset < _HEADER:
                cursor += _HEADER - offset
                continue
            length = self._record(generation, offset)
            if length and self._buffer[1] < _TOLD:
                return cursor
            cursor += _padded(length) if length else _GRANULE
        return -1

    def _write(self, length: int) -> bool:
        """Program the record of `length` bytes in the out buffer; False if it did not hold."""
        padded = _padded(length)
        if self._offset + padded > self._size:
            held = bytes(self._out)
            self._open(self._generation + 1)
            self._out[:] = held
        out = self._out
        crc = self._crc(memoryview(out)[: length - 4], self._generation, self._offset)
        struct.pack_into("<I", out, length - 4, crc)
        for i in range(length, padded):
            out[i] = 0xFF
        offset = self._offset
        self._offset += padded  # whatever happens now, these bytes are used up
        return self._program(self._generation, offset, padded)

    def _program(self, generation: int, offset: int, length: int) -> bool:
        """Write the out buffer and read it back."""
        data = memoryview(self._out)[:length]
        sector = generation % self._sectors
        self._flash.writeblocks(sector, data, offset)
        back = self._view[:length]
        self._flash.readblocks(sector, back, offset)
        return back == data

    def _crc(self, data, generation: int, offset: int) -> int:
        struct.pack_into("<II", self._seed, 0, generation, offset)
        return crc32(data, crc32(self._seed))


def _padded(length: int) -> int:
    return (length + _GRANULE - 1) // _GRANULE * _GRANULE


def _within(seq: int, spans) -> bool:
    return any(first <= seq <= last for first, last in spans)
