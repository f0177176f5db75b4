"""MQTT 3.1.1 packets (OASIS standard, section numbers in brackets): bytes only, no I/O."""

import struct

from port import const

CONNACK = const(0x20)
PUBLISH = const(0x30)
PUBACK = const(0x40)
SUBACK = const(0x90)
PINGRESP = const(0xD0)

PINGREQ = b"\xc0\x00"

_KINDS = (CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP)
_LONGEST_SKIPPED = const(1 << 18)


class ProtocolError(Exception):
    """The peer sent what MQTT 3.1.1 forbids, or what a desk unit never asked for."""


class Parser:
    """Cuts a byte stream into packets, in one buffer that never grows.

    A packet that is longer than the buffer is cut to it: its tail is read and thrown away, and
    the handler learns that it was cut. So a message that somebody retained by mistake can't
    keep the unit from its broker.

    Args:
        handle: Called as handle(first byte, body memoryview, was it cut). The body is only valid
            during the call.
        limit: Size of the buffer in bytes: a payload has 1,024 at most, and its topic comes first.
    """

    def __init__(self, handle, limit: int = 1280) -> None:
        self._handle = handle
        self._body = bytearray(limit)
        self._view = memoryview(self._body)
        self._reset()

    def feed(self, data: bytes) -> None:
        """Take any number of bytes as they come from the stream.

        Raises:
            ProtocolError: The stream can't be understood any more; close it.
        """
        view = memoryview(data)
        at = 0
        while at < len(view):
            if self._shift < 0:
                at += self._take_body(view[at:])
            else:
                self._take_head(view[at])
                at += 1
            if self._shift < 0 and self._got == self._length:
                body = self._view[: min(self._length, len(self._body))]
                first, cut = self._first, self._length > len(self._body)
                self._reset()
                self._handle(first, body, cut)

    def _reset(self) -> None:
        self._first = 0
        self._length = 0
        self._got = 0
        self._shift = 0

    def _take_head(self, byte: int) -> None:
        """Fixed header [2.2]: type and flags, then the remaining length in 1 to 4 bytes."""
        if not self._first:
            kind = byte & 0xF0
            if kind not in _KINDS or kind not in (byte, PUBLISH):
                raise ProtocolError("unexpected packet %02x" % byte)
            self._first = byte
            return
        self._length |= (byte & 0x7F) << self._shift
        self._shift += 7
        if byte < 0x80:
            self._shift = -1
        elif self._shift > 21:
            raise ProtocolError("remaining length has more than 4 bytes")
        if self._length > _LONGEST_SKIPPED:
            raise ProtocolError("packet is too long")

    def _take_body(self, data) -> int:
        take = min(len(data), self._length - self._got)
        keep = min(take, len(self._body) - self._got)
        if keep > 0:
            self._view[self._got : self._got + keep] = data[:keep]
        self._got += take
        return take


def connect(client: str, keepalive: int, username, password, will) -> bytes:
    """CONNECT [3.1] with a clean session.

    Args:
        client: Client identifier.
        keepalive: Seconds.
        username: User name, or None.
        password: Password, or None; needs a user name.
        will: (topic, payload) of the last will, sent with QoS 1 and retained.
    """
    flags = 0x02 | 0x04 | 0x08 | 0x20
    fields = _text(client) + _text(will[0]) + _text(will[1])
    if username is not None:
        flags |= 0x80
        fields += _text(username)
        if password is not None:
            flags |= 0x40
            fields += _text(password)
    return _packet(0x10, b"\x00\x04MQTT\x04" + struct.pack(">BH", flags, keepalive) + fields)


def publish(topic: str, payload: bytes, number: int, retain: bool = False) -> bytes:
    """PUBLISH [3.3] with QoS 1 and packet identifier `number`."""
    return _packet(0x33 if retain else 0x32, _text(topic) + struct.pack(">H", number) + payload)


def puback(number: int) -> bytes:
    """PUBACK [3.4]."""
    return struct.pack(">BBH", PUBACK, 2, number)


def subscribe(topic: str, number: int) -> bytes:
    """SUBSCRIBE [3.8] to one filter with QoS 1."""
    return _packet(0x82, struct.pack(">H", number) + _text(topic) + b"\x01")


def read_connack(body) -> int:
    """Return code of a CONNACK [3.2]; whether a session was present doesn't matter."""
    if len(body) != 2:
        raise ProtocolError("CONNACK of %d bytes" % len(body))
    return body[1]


def read_number(body) -> int:
    """Packet identifier of a PUBACK."""
    if len(body) != 2:
        raise ProtocolError("PUBACK of %d bytes" % len(body))
    return body[0] << 8 | body[1]


def read_suback(body):
    """(packet identifier, return code) of a SUBACK [3.9] for one filter."""
    if len(body) != 3:
        raise ProtocolError("SUBACK of %d bytes" % len(body))
    return body[0] << 8 | body[1], body[2]


def read_publish(first: int, body):
    """(topic, packet identifier or 0 for QoS 0, payload as bytes) of a PUBLISH."""
    qos = first >> 1 & 3
    if qos > 1:
        raise ProtocolError("PUBLISH with QoS %d" % qos)
    if len(body) < 2:
        raise ProtocolError("PUBLISH without a topic")
    end = 2 + (body[0] << 8 | body[1])
    number = 0
    start = end + 2 * qos
    if start > len(body):
        raise ProtocolError("PUBLISH is shorter than its topic")
    if qos:
        number = body[end] << 8 | body[end + 1]
        if not number:
            raise ProtocolError("PUBLISH with packet identifier 0")
    return _decoded(body[2:end]), number, bytes(body[start:])


def _decoded(data) -> str:
    try:
        return bytes(data).decode()
    except ValueError:
        reason = "topic is not UTF-8"
    raise ProtocolError(reason)  # outside, as MicroPython knows no exception chaining


def _text(text) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


def _packet(first: int, body: bytes) -> bytes:
    head = bytearray((first,))
    length = len(body)
    while True:
        byte = length & 0x7F
        length >>= 7
        head.append(byte | 0x80 if length else byte)
        if not length:
            return bytes(head) + body
