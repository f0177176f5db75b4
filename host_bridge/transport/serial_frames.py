"""Frames on a serial line, the host's side: COBS between zero bytes, a number and a CRC-32.

docs/protocol.md, "Serial line", says what they mean. Bytes only, no I/O.
"""

import enum
import struct
from collections.abc import Iterator
from zlib import crc32

import msgspec

MAX_BODY = 1152
"""Longest body in bytes: a topic's last words, a flag and 1,024 bytes of payload."""

_LONGEST = MAX_BODY + 6 + 6
_RUN = 254


class Kind(enum.IntEnum):
    """What a frame says."""

    HELLO = 1
    WELCOME = 2
    REFUSED = 3
    MESSAGE = 4
    TAKEN = 5
    PING = 6
    PONG = 7


class Frame(msgspec.Struct, frozen=True):
    """One sound frame; `kind` may be one that this version does not know."""

    kind: int
    number: int
    body: bytes


class Carried(msgspec.Struct, frozen=True):
    """What a MESSAGE carries: the topic below the unit's own name, and the payload."""

    word: str
    payload: bytes
    retain: bool = False


def encode(kind: Kind, number: int, body: bytes = b"") -> bytes:
    """The bytes that go over the line."""
    inner = bytes((kind, number)) + body
    return b"\0" + _stuff(inner + struct.pack("<I", crc32(inner))) + b"\0"


def pack(carried: Carried) -> bytes:
    """The body of a MESSAGE."""
    word = carried.word.encode()
    return bytes((carried.retain, len(word))) + word + carried.payload


def unpack(body: bytes) -> Carried | None:
    """What a MESSAGE's body carries; None if it makes no sense."""
    if len(body) < 3 or not 2 < (end := 2 + body[1]) <= len(body):
        return None
    try:
        word = body[2:end].decode("ascii")
    except UnicodeDecodeError:
        return None
    return Carried(word, body[end:], retain=bool(body[0] & 1))


class Deframer:
    """Cuts a byte stream into frames. `garbage` counts pieces that were none."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.garbage = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that end within `data`, however the stream is cut."""
        *pieces, rest = data.split(b"\0")
        for piece in pieces:
            self._keep(piece)
            whole, self._buffer = bytes(self._buffer), bytearray()
            if whole:
                frame = _decode(whole)
                if frame is None:
                    self.garbage += 1
                else:
                    yield frame
        self._keep(rest)

    def _keep(self, piece: bytes) -> None:
        # One byte too many is kept too: so a frame that is too long is known for one.
        self._buffer += piece[: _LONGEST + 1 - len(self._buffer)]


def _decode(stuffed: bytes) -> Frame | None:
    inner = _unstuff(stuffed) if len(stuffed) <= _LONGEST else None
    if inner is None or not 6 <= len(inner) <= MAX_BODY + 6:
        return None
    data, crc = inner[:-4], struct.unpack("<I", inner[-4:])[0]
    return Frame(data[0], data[1], data[2:]) if crc32(data) == crc else None


def _stuff(data: bytes) -> bytes:
    out = bytearray()
    for run in data.split(b"\0"):
        at = 0
        while len(run) - at >= _RUN:
            out.append(_RUN + 1)
            out += run[at : at + _RUN]
            at += _RUN
        out.append(len(run) - at + 1)
        out += run[at:]
    return bytes(out)


def _unstuff(data: bytes) -> bytes | None:
    out = bytearray()
    at = 0
    while at < len(data):
        run = data[at] - 1
        at += 1
        if run < 0 or at + run > len(data):
            return None
        out += data[at : at + run]
        at += run
        if run < _RUN and at < len(data):
            out.append(0)
    return bytes(out)
