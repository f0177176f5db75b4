"""MQTT 3.1.1 on the wire, both ways. Source: OASIS MQTT Version 3.1.1, sections 2 and 3."""

from collections.abc import Iterator

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
"""Kinds of packets (2.2.1)."""

LONGEST = 268_435_455
"""The largest remaining length (2.2.3)."""


class MalformedError(Exception):
    """What came in is no MQTT: the connection has to end (4.8)."""


class Parser:
    """Bytes in, packets out."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(first byte, body) of every packet that is complete now.

        Raises:
            MalformedError: the length has more than four bytes.
        """
        self._data += data
        while True:
            length = size = 0
            while True:
                if len(self._data) < 2 + size:
                    return
                byte = self._data[1 + size]
                length |= (byte & 0x7F) << 7 * size
                size += 1
                if byte < 0x80:
                    break
                if size == 4:
                    raise MalformedError("a length of more than four bytes")
            end = 1 + size + length
            if len(self._data) < end:
                return
            packet = self._data[0], bytes(self._data[1 + size : end])
            del self._data[:end]
            yield packet


class Body:
    """Reads a packet's body from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """So many bytes.

        Raises:
            MalformedError: there are fewer.
        """
        if self.left < count:
            raise MalformedError("a packet that ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int = 2) -> int:
        """A number, most significant byte first."""
        return int.from_bytes(self.take(size), "big")

    def binary(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.number())

    def text(self) -> str:
        """The same, as UTF-8 (1.5.3)."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise MalformedError("text that is not UTF-8") from None
        if "\0" in text:
            raise MalformedError("text with a null character")
        return text

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)


def packet(first: int, body: bytes = b"") -> bytes:
    """A packet: its first byte, the length, the body."""
    length, size = bytearray(), len(body)
    while True:
        size, digit = size >> 7, size & 0x7F
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes((first, *length)) + body


def text(value: str) -> bytes:
    """A string with its length before it."""
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def connect(client: str, keepalive: int, *, clean: bool) -> bytes:
    """CONNECT without a will or a name (3.1)."""
    head = text("MQTT") + bytes((4, 2 if clean else 0)) + keepalive.to_bytes(2, "big")
    return packet(CONNECT << 4, head + text(client))


def subscribe(number: int, filters: list[str]) -> bytes:
    """SUBSCRIBE, QoS 1 for each (3.8)."""
    return packet(
        SUBSCRIBE << 4 | 2, number.to_bytes(2, "big") + b"".join(text(f) + b"\1" for f in filters)
    )


def publish(  # noqa: PLR0917 (the fields in the order of the packet)
    topic: str, payload: bytes, qos: int, number: int, retain: bool = False, again: bool = False
) -> bytes:
    """PUBLISH (3.3); `number` counts with QoS 1 only."""
    first = PUBLISH << 4 | again << 3 | qos << 1 | retain
    head = text(topic) + (number.to_bytes(2, "big") if qos else b"")
    return packet(first, head + payload)


def puback(number: int) -> bytes:
    """PUBACK (3.4)."""
    return packet(PUBACK << 4, number.to_bytes(2, "big"))
