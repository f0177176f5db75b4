"""A log of facts on raw NOR flash that survives a power cut at any byte of any write or erase.

The partition is a ring of sectors (erase blocks). Generation g of the log, counted from 1, lives in
sector g % sectors. How headers and records look is in `sectors.py`; docs/firmware.md, "The journal
on flash", has the reasons.
"""

import struct

from port import const

from .sectors import (
    HEADER,
    NOTE,
    TOLD,
    TRIM,
    JournalError,
    Sectors,
    pack_fact,
    padded,
    unpack_fact,
)

_NOTHING = (0, 0, 0, 0, 0)

_AHEAD = const(2)
"""Sectors behind the newest that hold nothing wanted: the next one, and one in its place when
it turns out to be dead."""


class Journal:
    """The facts of one lane that the host has not acknowledged yet, oldest first.

    A *cursor* is a place in the log, `generation * block size + offset`; cursors only grow.
    `append`, `commit` and `tidy` block for the flash: about 1 ms a write, 45 ms an erase.

    Args:
        flash: At least 5 blocks of at least 256 bytes, with `esp32.Partition`'s `readblocks` and
            `writeblocks` at an offset in bytes, `ioctl` 4 (count), 5 (size) and 6 (erase).
    """

    def __init__(self, flash) -> None:
        self._sectors = Sectors(flash)
        self._size = self._sectors.size
        self._buffer = self._sectors.found
        self._out = self._sectors.out
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
        """Facts that a full ring forgot unacknowledged, since it was last empty at a start."""
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
        oldest, newest = self._sectors.generations()
        if not newest:
            self.floor = self._size
            self._open(1)
            self._oldest = 1
            return
        self._generation = newest
        self._oldest = max(oldest, newest + 2 - self._sectors.count)
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
            body: What is particular to the type, at most `sectors.MAX_BODY` bytes.

        Raises:
            ValueError: The body is too long.
            JournalError: The flash did not keep it; nothing was appended.
        """
        length = pack_fact(self._out, kind, boot, seq, up, at, clock, body)
        if not self._write(length):
            self._offset = self._size  # this sector is not to be trusted any more
            if not self._write(length):
                raise JournalError("the journal's flash does not keep what is written")
        self._appended += 1
        self.last = (boot, seq)

    def read(self, cursor: int):
        """The first kept fact at or after `cursor`, None at the end.

        Returns: (cursor behind it, kind, boot, seq, up, at, clock, body).
        """
        start = self._sectors.find(max(cursor, self.floor), self._end())
        if start < 0:
            return None
        return (start + padded(self._buffer[0]),) + unpack_fact(self._buffer)

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
            How many were forgotten, and the sequence number of the last of them (0 if none).
        """
        seq = count = 0
        while count < limit:
            start = self._sectors.find(self.floor, self._end())
            if start < 0:
                self._forgotten = self._appended
                break
            length, _, of, number = struct.unpack_from("<BBII", self._buffer, 0)
            if of != boot or not any(first <= number <= last for first, last in spans):
                break
            seq = number
            count += 1
            self._forgotten += 1
            self.floor = start + padded(length)
        if not self.waiting:
            self.floor = self._end()
        return count, seq

    def commit(self) -> None:
        """Make what was forgotten durable: one trim record, however many facts it covers."""
        if self._committed == self.floor:
            return
        generation, offset = divmod(self.floor, self._size)
        struct.pack_into("<IHI", self._out, 2, generation, offset, self._forgotten)
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
        # The next sector of the ring is erased already, and may hold a smaller generation.
        oldest = max(self._oldest, self._generation + 2 - self._sectors.count)
        if oldest < self._committed // self._size:
            self._sectors.erase(oldest)
            self._oldest = oldest + 1
            return True
        return False

    def _note(self, kind: int) -> bool:
        """Write a record of 16 bytes; False if the next sector's header says it instead."""
        if self._offset + NOTE <= self._size:
            struct.pack_into("<BB", self._out, 0, NOTE, kind)
            if self._write(NOTE):
                return True
        self._open(self._generation + 1)
        return False

    def _end(self) -> int:
        return self._generation * self._size + self._offset

    def _open(self, generation: int) -> None:
        """Begin a sector, or the one after it when that is dead.

        Raises:
            JournalError: Neither keeps what is written.
        """
        for one in (generation, generation + 1):
            self._give_up_oldest(one)
            if self._begin(one):
                return
        raise JournalError("the journal's flash does not keep what is written")

    def _begin(self, generation: int) -> bool:
        """Erase a sector and write its header: the log's whole state, the floor among it."""
        floor = divmod(self.floor, self._size)
        counts = (self._appended, self._forgotten, self.dropped)
        for _ in range(2):
            # A sector that looks blank may be half erased: only one erased since the start counts.
            if not self._ready:
                self._sectors.erase(generation)
            self._ready = False
            if self._sectors.begin(generation, floor, counts, self.last, self.lost):
                self._generation = generation
                self._offset = HEADER
                self._committed = self.floor
                return True
        return False

    def _give_up_oldest(self, generation: int) -> None:
        """Raise the floor so that the `_AHEAD` sectors after `generation` may be erased.

        That is the invariant which makes every erase safe: the header of the newest sector
        says that whatever stood in the sectors after it is forgotten.
        """
        lowest = generation + 1 + _AHEAD - self._sectors.count
        if self.floor // self._size >= lowest:
            return
        first = (0, 0)
        if self._sectors.find(self.floor, self._end()) >= 0:
            first = struct.unpack_from("<II", self._buffer, 2)
        while not (header := self._sectors.begun(lowest)) and lowest < self._generation:
            lowest += 1  # it was dead, so the count stands in the one after it
        self.floor = lowest * self._size
        if header and header[3] > self._forgotten:
            count = header[3] - self._forgotten
            self._forgotten = header[3]
            self.dropped += count
            first = self.lost[1:3] if self.lost[0] else first
            self.lost = (self.lost[0] + count,) + first + header[6:8]

    def _restore(self) -> None:
        """Take over the newest sector: its checkpoint, then what was appended behind it."""
        header = self._sectors.header(self._generation)
        self.floor = header[1] * self._size + header[2]
        self._appended, self._forgotten, self.dropped = header[3:6]
        self.last = header[6:8]
        self.lost = header[8:]
        for self._offset in self._sectors.records(self._generation):  # noqa: B020
            self._replay()
        self._offset = max(self._offset, self._sectors.blank_from(self._generation))
        self._committed = self.floor
        if self.floor // self._size >= self._generation:
            # Counted: a record that rot has spoilt after it was forgotten was not appended above,
            # and one that waits must not be set off against it.
            self._appended = self._forgotten + self._sectors.facts(self.floor, self._end())

    def _replay(self) -> None:
        """Apply the record in the buffer to the checkpoint."""
        if self._buffer[1] == TRIM:
            generation, offset, forgotten = struct.unpack_from("<IHI", self._buffer, 2)
            self.floor = generation * self._size + offset
            self._forgotten = forgotten
        elif self._buffer[1] == TOLD:
            self.lost = _NOTHING
        else:
            self._appended += 1
            self.last = struct.unpack_from("<II", self._buffer, 2)

    def _write(self, length: int) -> bool:
        """Program the record of `length` bytes in the out buffer; False if it did not hold."""
        rounded = padded(length)
        if self._offset + rounded > self._size:
            held = bytes(self._out)
            self._open(self._generation + 1)
            self._out[:] = held
        offset = self._offset
        self._offset += rounded  # whatever happens now, these bytes are used up
        return self._sectors.write(self._generation, offset, length)
