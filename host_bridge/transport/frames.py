"""MQTT 5 packets in a stream of bytes, whatever bytes those are.

The codec (`mqtt5`, in Rust) does the work. Around it: no packet is awaited that is too long to be
true, and a PUBLISH that the codec can't read is taken apart by hand, because the broker would
deliver it again and again, and everything behind it would never be reached.
"""

from collections.abc import Iterator
from typing import NamedTuple

import mqtt5

LONGEST = 2**20
"""Bytes of a packet. The broker is told so, and withholds longer ones; a fact has 1,024 at most."""

_PUBLISH = 3


class MalformedError(Exception):
    """The broker sent what is no MQTT 5. What follows in the stream can't be told apart."""


class Unreadable(NamedTuple):
    """A PUBLISH that the codec refuses: to be kept as what it is, and acknowledged."""

    topic: str
    payload: bytes
    packet_id: int | None
    retain: bool


class Frames:
    """Cuts a stream into packets. One for each connection."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[mqtt5.Packet | Unreadable]:
        """The packets that are complete now; to be read to its end.

        Raises:
            MalformedError: the connection must be closed.
        """
        data = self._rest + data if self._rest else data
        view, at, read = memoryview(data), 0, mqtt5.read
        while True:
            try:
                packet, size = read(view[at:])
            except IndexError:
                _check_length(view[at:])
                break
            except BaseException as error:
                # Rust's panic, which comes with text that is not UTF-8, is no `Exception`.
                if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
                    raise
                unreadable, size = _unreadable(view[at:], error)
                yield unreadable
            else:
                yield packet
            at += size
        self._rest = data[at:]


def _check_length(view: memoryview) -> None:
    length, begin = _number(view, 1)
    if begin + length > LONGEST:
        raise MalformedError(f"a packet of {begin + length:,} bytes")


def _unreadable(view: memoryview, error: BaseException) -> tuple[Unreadable, int]:
    """A PUBLISH in spite of the codec, and its length (MQTT 5, section 3.3)."""
    try:
        length, begin = _number(view, 1)
        end = begin + length
        qos = view[0] >> 1 & 3
        if view[0] >> 4 != _PUBLISH or qos > 1 or end > len(view):
            raise MalformedError(str(error))
        name_end = begin + 2 + int.from_bytes(view[begin : begin + 2], "big")
        id_end = name_end + 2 * qos
        number = int.from_bytes(view[name_end:id_end], "big") if qos else None
        skip, at = _number(view, id_end)
    except IndexError as short:
        raise MalformedError(str(error)) from short
    if at + skip > end or number == 0:
        raise MalformedError(str(error))
    topic = bytes(view[begin + 2 : name_end]).decode(errors="replace")
    return Unreadable(topic, bytes(view[at + skip : end]), number, bool(view[0] & 1)), end


def _number(view: memoryview, at: int) -> tuple[int, int]:
    """A variable byte integer (section 1.5.5) and where it ends; 0 if it is not complete yet.

    Raises:
        MalformedError: it has more than four bytes.
    """
    value = 0
    for place in range(4):
        if at + place >= len(view):
            return 0, at
        byte = view[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise MalformedError("a length of more than four bytes")
