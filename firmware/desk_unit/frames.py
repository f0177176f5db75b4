"""Frames on a serial line: COBS between zero bytes, a number, and a CRC-32. Bytes only, no I/O.

A frame is kind (1 byte), number (1), body (0 to 1,152), CRC-32 of all that (4, little-endian),
byte-stuffed so that no zero is in it (Cheshire and Baker, "Consistent Overhead Byte Stuffing",
1999), with a zero before and behind. Console text or noise between frames fails the CRC and is
dropped. docs/protocol.md, "Serial line", says what the kinds mean.
"""

import struct
from binascii import crc32

from port import const

HELLO = const(1)
WELCOME = const(2)
REFUSED = const(3)
MESSAGE = const(4)
TAKEN = const(5)
PING = const(6)
PONG = const(7)

MAX_BODY = const(1152)
"""A topic's last words, a flag and 1,024 bytes of payload."""

_LONGEST = const(1158 + 6)  # with number, CRC and one byte of overhead for each 254
_RUN = const(254)


def frame(kind: int, number: int, body: bytes = b"") -> bytes:
    """The bytes that go over the line."""
    inner = bytes((kind, number)) + body
    return b"\0" + _stuffed(inner + struct.pack("<I", crc32(inner))) + b"\0"


def _stuffed(data: bytes) -> bytes:
    out = bytearray()
    for run in data.split(b"\0"):
        start = 0
        while len(run) - start >= _RUN:
            out.append(_RUN + 1)
            out += run[start : start + _RUN]
            start += _RUN
        out.append(len(run) - start + 1)
        out += run[start:]
    return bytes(out)


class Deframer:
    """Cuts a byte stream into frames, in one buffer that never grows.

    Args:
        handle: Called as handle(kind, number, body) for every sound frame; the body is a
            memoryview that is only valid during the call.
    """

    def __init__(self, handle) -> None:
        self._handle = handle
        self._buffer = bytearray(_LONGEST)
        self._view = memoryview(self._buffer)
        self._count = 0
        self.garbage = 0
        """Pieces between zeros that were no sound frame."""

    def feed(self, data: bytes) -> None:
        """Take any number of bytes as they come."""
        start = 0
        while True:
            end = data.find(b"\0", start)
            piece = memoryview(data)[start : end if end >= 0 else len(data)]
            self._keep(piece)
            if end < 0:
                return
            self._end()
            start = end + 1

    def _keep(self, piece) -> None:
        room = max(0, min(len(piece), _LONGEST - self._count))
        self._view[self._count : self._count + room] = piece[:room]
        self._count += len(piece)

    def _end(self) -> None:
        count = self._count
        self._count = 0
        if not count:
            return
        length = self._unstuffed(count) if count <= _LONGEST else 0
        if length < 6 or length > MAX_BODY + 6 or not self._sound(length):
            self.garbage += 1
            return
        self._handle(self._buffer[0], self._buffer[1], self._view[2 : length - 4])

    def _unstuffed(self, count: int) -> int:
        """Undo the stuffing in place; the length, 0 when it is none."""
        buffer = self._buffer
        read = write = 0
        while read < count:
            run = buffer[read] - 1
            read += 1
            if run < 0 or read + run > count:
                return 0
            buffer[write : write + run] = buffer[read : read + run]
            read += run
            write += run
            if run < _RUN and read < count:
                buffer[write] = 0
                write += 1
        return write

    def _sound(self, length: int) -> bool:
        crc = struct.unpack_from("<I", self._buffer, length - 4)[0]
        return crc32(self._view[: length - 4]) == crc
