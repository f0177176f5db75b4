"""The virtual broker against mosquitto: the same packets in, the same packets out."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.virtual import packets
from sim.virtual.broker import Broker
from sim.virtual.conductor import Conductor
from tests.services import Mosquitto

_QUIET_S = 0.3


class Caller:
    """One client of either broker: sends bytes, gathers what comes back."""

    def __init__(self, send: Callable[[bytes], None], settle: Callable[[], bytes]) -> None:
        self.send = send
        self._settle = settle

    def heard(self) -> list[tuple[int, bytes]]:
        """The packets that came since, in order; none at all at the connection's end."""
        return list(packets.Parser().feed(self._settle()))


@pytest.fixture(params=["mosquitto", "virtual"])
def call(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Caller]]:
    if request.param == "virtual":
        broker = Broker(Conductor())
        broker.start()
        yield lambda: _virtual(broker)
        return
    real = Mosquitto(tmp_path / "mosquitto").start()
    yield lambda: _real(real.port)
    real.stop()


def _virtual(broker: Broker) -> Caller:
    heard = bytearray()

    def settle() -> bytes:
        data = bytes(heard)
        heard.clear()
        return data

    return Caller(broker.accept(heard.extend, lambda: None).feed, settle)


def _real(port: int) -> Caller:
    line = socket.create_connection(("127.0.0.1", port), 5)
    line.settimeout(_QUIET_S)

    def settle() -> bytes:
        data = b""
        try:
            while more := line.recv(4096):
                data += more
        except (TimeoutError, ConnectionError):
            pass
        return data

    return Caller(line.sendall, settle)


def _connect(client: str, *, clean: bool = True, will: bytes = b"") -> bytes:
    flags = (2 if clean else 0) | (0x2C if will else 0)
    head = packets.text("MQTT") + bytes((4, flags, 0, 30)) + packets.text(client)
    return packets.packet(packets.CONNECT << 4, head + will)


CONNACK_NEW = (0x20, b"\0\0")
CONNACK_KNOWN = (0x20, b"\1\0")


def test_connect_subscribe_publish_and_ping_are_answered_as_mosquitto_does(
    call: Callable[[], Caller],
) -> None:
    caller = call()
    caller.send(_connect("one"))
    assert caller.heard() == [CONNACK_NEW]
    caller.send(packets.subscribe(7, ["a/+/c", "d/#"]))
    assert caller.heard() == [(0x90, b"\0\7\1\1")]
    caller.send(packets.packet(packets.PINGREQ << 4))
    assert caller.heard() == [(0xD0, b"")]
    caller.send(packets.publish("a/b/c", b"hello", 1, 9))
    assert sorted(caller.heard()) == [
        (0x32, packets.text("a/b/c") + b"\0\1hello"),
        (0x40, b"\0\x09"),
    ]
    caller.send(packets.publish("a/b/x", b"to nobody", 0, 0))
    caller.send(packets.publish("d", b"", 0, 0))
    assert caller.heard() == [(0x30, packets.text("d"))]


def test_a_retained_message_comes_with_the_subscription_until_it_is_emptied(
    call: Callable[[], Caller],
) -> None:
    first, second, third = call(), call(), call()
    first.send(_connect("one") + packets.publish("r", b"kept", 1, 1, retain=True))
    assert first.heard() == [CONNACK_NEW, (0x40, b"\0\1")]
    second.send(_connect("two") + packets.subscribe(1, ["r"]))
    assert second.heard() == [
        CONNACK_NEW,
        (0x90, b"\0\1\1"),
        (0x33, packets.text("r") + b"\0\1kept"),
    ]
    first.send(packets.publish("r", b"", 1, 2, retain=True))
    assert first.heard() == [(0x40, b"\0\2")]
    assert second.heard() == [(0x32, packets.text("r") + b"\0\2")]
    third.send(_connect("three") + packets.subscribe(1, ["r"]))
    assert third.heard() == [CONNACK_NEW, (0x90, b"\0\1\1")]


def test_a_session_outlives_its_connection_and_what_was_not_acknowledged_comes_again(
    call: Callable[[], Caller],
) -> None:
    before, sender, after = call(), call(), call()
    before.send(_connect("stays", clean=False) + packets.subscribe(1, ["t"]))
    assert before.heard() == [CONNACK_NEW, (0x90, b"\0\1\1")]
    sender.send(_connect("sender") + packets.publish("t", b"first", 1, 1))
    assert sender.heard() == [CONNACK_NEW, (0x40, b"\0\1")]
    assert before.heard() == [(0x32, packets.text("t") + b"\0\1first")]
    before.send(packets.packet(packets.DISCONNECT << 4))
    assert before.heard() == []
    sender.send(packets.publish("t", b"second", 1, 2))
    sender.heard()
    after.send(_connect("stays", clean=False))
    assert after.heard() == [
        CONNACK_KNOWN,
        (0x3A, packets.text("t") + b"\0\1first"),
        (0x32, packets.text("t") + b"\0\2second"),
    ]


def test_the_last_will_is_said_when_another_takes_the_name_and_not_after_a_goodbye(
    call: Callable[[], Caller],
) -> None:
    will = packets.text("w") + packets.text("gone")
    listener, first, second = call(), call(), call()
    listener.send(_connect("listener") + packets.subscribe(1, ["w"]))
    listener.heard()
    first.send(_connect("unit", will=will))
    assert first.heard() == [CONNACK_NEW]
    second.send(_connect("unit", will=will))
    assert second.heard() == [CONNACK_NEW]
    assert listener.heard() == [(0x32, packets.text("w") + b"\0\1gone")]
    second.send(packets.packet(packets.DISCONNECT << 4))
    assert listener.heard() == []


@pytest.mark.parametrize(
    "junk",
    [b"\x10\xff\xff\xff\xff\xff", b"\x30\x05\x00\x09ab", packets.packet(0x82, b"\0\1\0\5ab")],
    ids=["endless length", "publish before connect", "subscribe that ends too early"],
)
def test_what_is_no_mqtt_ends_the_connection_without_an_answer(
    call: Callable[[], Caller], junk: bytes
) -> None:
    caller = call()
    caller.send(junk)
    time.sleep(0)
    assert caller.heard() == []


def test_a_client_that_is_silent_for_one_and_a_half_keep_alives_is_gone() -> None:
    conductor = Conductor()
    broker = Broker(conductor)
    broker.start()
    told: list[str] = []
    broker.tap = lambda message: told.append(message.topic)
    will = packets.text("w") + packets.text("gone")
    silent = broker.accept(lambda _: None, lambda: told.append("hung up"))
    silent.feed(_connect("unit", will=will))
    conductor.run(44_999_999, lambda: False)
    assert told == []
    conductor.run(45_000_000, lambda: False)
    assert told == ["hung up", "w"]
