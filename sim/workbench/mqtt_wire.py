"""MQTT between the unit and the broker, in words.

Source: OASIS MQTT 3.1.1, chapters 2 and 3. A password is never shown, nor are the bytes of the
packet that carries it.
"""

import struct

from sim.workbench.trace import Seen

_LONGEST = 1 << 18
_PAYLOAD = 2048
_NAMES = {
    1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 5: "PUBREC", 6: "PUBREL",
    7: "PUBCOMP", 8: "SUBSCRIBE", 9: "SUBACK", 10: "UNSUBSCRIBE", 11: "UNSUBACK",
    12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT",
}  # fmt: skip
_REFUSALS = (
    "accepted", "protocol refused", "client refused", "unavailable", "bad login", "not authorised",
)  # fmt: skip


class MqttWire:
    """One direction of one connection.

    Args:
        way: "out" (to the broker) or "in".
        prefix: what all topics of the unit begin with; it is left out.
    """

    def __init__(self, way: str, prefix: str) -> None:
        self._way = way
        self._prefix = prefix
        self._buffer = b""
        self._lost = False

    def feed(self, data: bytes) -> list[Seen]:
        """Bytes as they came; the packets that are complete with them."""
        if self._lost:
            return []
        self._buffer += data
        found = []
        while packet := self._cut():
            found.append(self._describe(*packet))
        if self._lost:
            text = "bytes that are no MQTT: the rest of this connection is not shown"
            found.append(Seen(self._way, self._buffer, text))
            self._buffer = b""
        return found

    def _cut(self) -> tuple[int, bytes, bytes] | None:
        """First byte, body and all bytes of the next packet; None when more must come."""
        length = shift = 0
        for at in range(1, 5):
            if at >= len(self._buffer):
                return None
            length |= (self._buffer[at] & 0x7F) << shift
            shift += 7
            if not self._buffer[at] & 0x80:
                break
        else:
            self._lost = True
            return None
        if length > _LONGEST or self._buffer[0] >> 4 not in _NAMES:
            self._lost = True
            return None
        end = at + 1 + length
        if len(self._buffer) < end:
            return None
        whole, self._buffer = self._buffer[:end], self._buffer[end:]
        return whole[0], whole[at + 1 :], whole

    def _describe(self, first: int, body: bytes, whole: bytes) -> Seen:
        kind = first >> 4
        data = whole[:12] if kind == 1 else whole
        payload = ""
        try:
            if kind == 1:
                text = _connect(body)
            elif kind == 3:
                text, payload = self._publish(first, body)
            else:
                text = self._short(kind, body)
        except (struct.error, IndexError, UnicodeDecodeError):
            text = f"{_NAMES[kind]} that is broken"
        return Seen(self._way, data, text, (), payload)

    def _publish(self, first: int, body: bytes) -> tuple[str, str]:
        topic, rest = _string(body)
        qos = first >> 1 & 3
        words = [f"PUBLISH {self._short_topic(topic)}", f"QoS{qos}"]
        if qos:
            words.append(f"#{struct.unpack_from('>H', rest)[0]}")
            rest = rest[2:]
        words += ["retained"] if first & 1 else []
        words += ["again"] if first & 8 else []
        text = rest[:_PAYLOAD].decode(errors="replace")
        return " ".join(words), text + ("…" if len(rest) > _PAYLOAD else "")

    def _short(self, kind: int, body: bytes) -> str:
        name = _NAMES[kind]
        if kind == 2:
            code = body[1]
            return f"CONNACK {_REFUSALS[code] if code < len(_REFUSALS) else f'code {code}'}"
        if kind == 8:
            topic, rest = _string(body[2:])
            return f"SUBSCRIBE {self._short_topic(topic)} QoS{rest[0]}"
        if kind in (4, 5, 6, 7, 9, 10, 11):
            return f"{name} #{struct.unpack_from('>H', body)[0]}"
        return name

    def _short_topic(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)


def _connect(body: bytes) -> str:
    _, rest = _string(body)
    flags, keep_alive = rest[1], struct.unpack_from(">H", rest, 2)[0]
    client, _ = _string(rest[4:])
    words = [f"CONNECT as {client}", f"keep-alive {keep_alive} s"]
    words += ["clean session"] if flags & 2 else []
    words += ["last will"] if flags & 4 else []
    words += ["password hidden"] if flags & 0x40 else []
    return ", ".join(words)


def _string(data: bytes) -> tuple[str, bytes]:
    """A length-prefixed string (1.5.3), and what follows it."""
    (length,) = struct.unpack_from(">H", data)
    if len(data) < 2 + length:
        raise IndexError
    return data[2 : 2 + length].decode(), data[2 + length :]
