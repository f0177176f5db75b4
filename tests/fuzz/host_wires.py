"""The wires that end in the host: what units publish, and what stands on a serial line."""

import msgspec

from host_bridge.intake import judge
from host_bridge.settings import Broker
from host_bridge.transport import serial_gateway
from host_bridge.transport.serial_frames import Carried, Kind, encode, pack
from host_bridge.transport.serial_upstream import Arrived, Down, Published, Up, Upstream
from tests.fuzz.draw import Draw
from tests.fuzz.rubbish import RubbishError, check
from tests.fuzz.wires import NOON

TOPIC = "chequer/v1/s/u/fact"


class Nowhere(Upstream):
    """A broker's side that takes down what it is given, and opens no connection."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._mid = 0

    def start(self) -> None:
        self.events.put(Up())

    def stop(self) -> None:
        pass

    def acknowledge(self, mid: int) -> None:
        check(mid == 1, "an acknowledgement")

    def publish(self, word: str, payload: bytes, *, retain: bool) -> int | None:
        check(word in serial_gateway.WORDS and len(payload) <= 1024, "a topic or payload")
        self._mid += 1
        self.events.put(Published(self._mid))
        return self._mid


class Gateway:
    """The serial gateway: hellos, frames, messages."""

    name = "serial line to host"

    def __init__(self) -> None:
        serial_gateway.Upstream = Nowhere  # type: ignore[misc]
        hello = encode(Kind.HELLO, 1, b'{"site":"s","unit":"u"}')
        fact = pack(Carried("fact", b'{"type":"seat"}'))
        self.good = [
            hello,
            encode(Kind.HELLO, 2, b'{"site":"other","unit":"u"}'),
            hello + encode(Kind.MESSAGE, 1, fact) + encode(Kind.MESSAGE, 2, fact),
            encode(Kind.MESSAGE, 1, fact),
            encode(Kind.TAKEN, 1),
            encode(Kind.PING, 0),
        ]
        self._data = b""
        self._written = 0

    @property
    def in_waiting(self) -> int:
        return len(self._data)

    def read(self, size: int = 1) -> bytes:
        part, self._data = self._data[:size], self._data[size:]
        return part

    def write(self, data: bytes) -> int:
        self._written += 1
        return len(data)

    def cancel_read(self) -> None:
        pass

    def close(self) -> None:
        pass

    def feed(self, data: bytes, draw: Draw) -> bool:
        line = serial_gateway._Line(self, Broker(), "s", lambda: 0.0)
        self._written = 0
        self._data = data if draw.below(2) else self.good[0] + data
        while self._data:
            line.step()
            if line._upstream is not None and not draw.below(4):
                event = Arrived("down/ack", b"{}", 1) if draw.below(3) else Down("gone")
                line._upstream.events.put(event)
        line.step()
        return self._written > 0


class Intake:
    """What a unit, or anybody in its name, publishes."""

    name = "unit to host (facts)"

    def __init__(self) -> None:
        one = b'{"type":"seat","unit":"u","boot":1,"seq":1,"up":5,"age":1,"occupied":true}'
        other = b'{"type":"tag","unit":"u","boot":1,"seq":2,"up":5,"tag":"' + b"0f" * 16 + b'"}'
        self.good = [one, other, b"[" + one + b"," + other + b"]"]

    def feed(self, data: bytes, _draw: Draw) -> bool:
        result = judge(TOPIC, data, NOON)
        if result.count != len(result.facts) + len(result.dead_letters) or result.count < 1:
            raise RubbishError("the ledger does not add up")
        for item in result.facts:
            check(item.time_ms <= NOON and item.fact.unit == "u", "a fact")
            msgspec.json.encode(item.fact)
        return bool(result.facts)


HOST_WIRES = (Gateway, Intake)
