"""A log of facts on raw NOR flash that survives a power cut at any byte of any write or erase.

Format, version 2 (docs/firmware.md, "The journal on flash", has the reasons). The partition is
a ring of sectors (erase blocks). Generation g of the log, counted from 1, lives in sector
g % sectors. Everything is little-endian, begins on a granule of 16 bytes, is padded with FFh to
whole granules, and is programmed once; nothing is ever programmed over.

A sector begins with a checkpoint of the whole log, so that mounting reads one sector only
(`checkpoint.py`); records follow it (`record.py`). A record's CRC-32 covers its place too, so that
bytes left over from an earlier life of the sector are never taken for a record (`sectors.py`).
"""

import struct

from . import checkpoint
from .record import NOTE_LENGTH, TOLD, TRIM, pack, unpack
from .sectors import GRANULE, Sectors, padded

_HEADER = checkpoint.SIZE
_NOTHING = (0, 0, 0, 0, 0)


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
        self._sectors = Sectors(flash)
        self._ring = self._sectors.count
        self._size = self._sectors.size
        self._buffer = self._sectors.buffer
        self._out = self._sectors.out
        self._generation = 0
        self._offset = 0
        self._ready = False
        self._oldest = 0
        self._committed = 0
        self._appended = 0
        self.forgotten = 0
        """How many facts were ever forgotten; with `waiting` it numbers the facts."""
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
        return self._appended - self.forgotten

    def mount(self) -> None:
        """Find the end of the log, or begin one on flash that holds none.

        Raises:
            JournalError: The flash can't be formatted.
            OSError: The flash can't be read.
        """
        oldest, newest = checkpoint.survey(self._sectors.flash, self._sectors.view)
        if not newest:
            self.floor = self._size
            self._open(1)
            self._oldest = 1
            return
        self._generation = newest
        self._oldest = max(oldest, newest + 2 - self._ring)
        self._restore()
        if not self.waiting:
            self.dropped = 0

    def append(  # noqa: PLR0917 (the columns of a record, in their order)
        self, kind: int, boot: int, seq: int, up: int, at: int, clock: int, body: bytes
    ) -> None:
        """Write one fact; it is durable when this returns.

        The arguments are the columns of a fact record, see `record.py`.

        Raises:
            ValueError: The body is too long.
            JournalError: The flash did not keep it; nothing was appended.
        """
        length = pack(self._out, (kind, boot, seq, up, at, clock, body))
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
        fact = unpack(self._buffer)
        return (start + padded(fact[0]),) + fact[1:]

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
                self.forgotten = self._appended
                break
            length, _, of, number = struct.unpack_from("<BBII", self._buffer, 0)
            if of != boot or not any(first <= number <= last for first, last in spans):
                break
            seq = number
            count += 1
            self.forgotten += 1
            self.floor = start + padded(length)
        if not self.waiting:
            self.floor = self._end()
        return count, seq

    def commit(self) -> None:
        """Make what was forgotten durable: one trim record, however many facts it covers."""
        if self._committed == self.floor:
            return
        generation, offset = divmod(self.floor, self._size)
        struct.pack_into("<IHI", self._out, 2, generation, offset, self.forgotten)
        if self._note(TRIM):
            self._committed = self.floor

    def told(self, lost) -> None:
        """What was dropped has been reported: forget `lost`, unless it has grown meanwhile."""
        if self.lost == lost:
            self.lost = _NOTHING
            self._note(TOLD)

    def tidy(self) -> bool:
        """Erase at most one sector ahead of need; call it when there is time (blocks 45 ms).

        Afterwards an append needn't wait for an erase, and facts that the host has are soon gone
        from the flash too.

        Returns:
            True if it erased one, so that there may be more.
        """
        if not self._ready:
            self._sectors.erase(self._generation + 1)
            self._ready = True
            return True
        released = self._committed // self._size
        if self._oldest < released:
            # The next sector of the ring is erased already, and may hold a smaller generation.
            self._oldest = max(self._oldest, self._generation + 2 - self._ring)
        if self._oldest < released:
            self._sectors.erase(self._oldest)
            self._oldest += 1
            return True
        return False

    def _note(self, kind: int) -> bool:
        """Write a record of 16 bytes; False if the next sector's header says it instead."""
        if self._offset + NOTE_LENGTH <= self._size:
            struct.pack_into("<BB", self._out, 0, NOTE_LENGTH, kind)
            if self._write(NOTE_LENGTH):
                return True
        self._open(self._generation + 1)
        return False

    def _end(self) -> int:
        return self._generation * self._size + self._offset

    def _open(self, generation: int) -> None:
        """Begin a sector. Its header repeats the log's whole state, the floor among it."""
        self._give_up_oldest(generation)
        for _ in range(2):
            # A sector that looks blank may be half erased: only one erased since the start counts.
            if not self._ready:
                self._sectors.erase(generation)
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
        lowest = generation + 2 - self._ring
        if self.floor // self._size >= lowest:
            return
        found = self._find(self.floor) >= 0
        first = struct.unpack_from("<II", self._buffer, 2) if found else (0, 0)
        self.floor = lowest * self._size
        header = self._header_of(lowest)
        if header and header[0] == lowest and header[3] > self.forgotten:
            count = header[3] - self.forgotten
            self.forgotten = header[3]
            self.dropped += count
            first = self.lost[1:3] if self.lost[0] else first
            self.lost = (self.lost[0] + count,) + first + header[6:8]

    def _header_of(self, generation: int):
        return checkpoint.read(self._sectors.flash, generation % self._ring, self._sectors.view)

    def _write_header(self, generation: int) -> bool:
        floor = divmod(self.floor, self._size)
        counts = (self._appended, self.forgotten, self.dropped)
        checkpoint.pack(self._out, generation, floor, counts, self.last, self.lost)
        return self._sectors.program(_HEADER, generation, 0)

    def _restore(self) -> None:
        """Take over the newest sector: its checkpoint, then what was appended behind it."""
        header = self._header_of(self._generation)
        self.floor = header[1] * self._size + header[2]
        self._appended, self.forgotten, self.dropped = header[3:6]
        self.last = header[6:8]
        self.lost = header[8:]
        offset = end = _HEADER
        while offset + GRANULE <= self._size:
            length = self._sectors.record(self._generation, offset)
            if not length:
                offset += GRANULE  # torn by a power cut, or blank
                continue
            offset += padded(length)
            end = offset
            self._replay()
        self._offset = max(end, self._sectors.blank_from(self._generation, _HEADER))
        self._committed = self.floor

    def _replay(self) -> None:
        """Apply the record in the buffer to the checkpoint."""
        if self._buffer[1] == TRIM:
            generation, offset, forgotten = struct.unpack_from("<IHI", self._buffer, 2)
            self.floor = generation * self._size + offset
            self.forgotten = forgotten
        elif self._buffer[1] == TOLD:
            self.lost = _NOTHING
        else:
            self._appended += 1
            self.last = struct.unpack_from("<II", self._buffer, 2)

    def _find(self, cursor: int) -> int:
        """Cursor of the first fact at or after `cursor`, left in the buffer; -1 at the end."""
        end = self._end()
        while cursor < end:
            generation, offset = divmod(cursor, self._size)
            if offset < _HEADER:
                cursor += _HEADER - offset
                continue
            length = self._sectors.record(generation, offset)
            if length and self._buffer[1] < TOLD:
                return cursor
            cursor += padded(length) if length else GRANULE
        return -1

    def _write(self, length: int) -> bool:
        """Program the record of `length` bytes in the out buffer; False if it did not hold."""
        if self._offset + padded(length) > self._size:
            held = bytes(self._out)
            self._open(self._generation + 1)
            self._out[:] = held
        offset = self._offset
        self._offset += padded(length)  # whatever happens now, these bytes are used up
        return self._sectors.write(length, self._generation, offset)
