"""The receiver against mosquitto, and against brokers that say what no broker should."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mqtt5
import msgspec
import pytest
from paho.mqtt import publish

from host_bridge.settings import Broker
from host_bridge.transport import wire
from host_bridge.transport.mqtt import Connection, Message
from host_bridge.transport.receiver import Receiver
from host_bridge.transport.versions import connect
from tests.certificates import Authority
from tests.services import Mosquitto

WELCOME = mqtt5.ConnAckPacket().write()


class Heard:
    """What a receiver got."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def bodies(self) -> list[bytes]:
        return [each.payload for each in self.messages]

    def wait(self, count: int) -> None:
        until(lambda: len(self.messages) >= count)


def until(claim: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@contextmanager
def receiving(port: int, name: str, topic: str = "t/+") -> Iterator[tuple[Receiver, Heard]]:
    heard = Heard()
    receiver = Receiver(Broker(port=port), name, filters=[topic], receive=heard.messages.append)
    receiver.start()
    try:
        yield receiver, heard
    finally:
        receiver.stop()


def send(port: int, bodies: list[bytes], topic: str = "t/a") -> None:
    messages = [(topic, body, 1, False) for body in bodies]
    publish.multiple(messages, hostname="127.0.0.1", port=port)


def numbered(count: int, size: int = 4) -> list[bytes]:
    return [str(number).rjust(size).encode() for number in range(count)]


def test_what_is_not_acknowledged_comes_again_and_the_rest_does_not(mosquitto: Mosquitto) -> None:
    with receiving(mosquitto.port, "r") as (receiver, heard):
        assert receiver.wait(10)
        send(mosquitto.port, numbered(10))
        heard.wait(10)
        for message in heard.messages[:6]:
            receiver.acknowledge(message)
        receiver.renew()
        heard.wait(14)
        assert heard.bodies() == numbered(10) + numbered(10)[6:]
        until(lambda: receiver.reconnects == 1)
        # A delivery of the earlier connection: its number may belong to another message by now.
        receiver.acknowledge(heard.messages[7])
        receiver.renew()
        heard.wait(18)


def test_what_came_while_it_was_away_is_delivered(mosquitto: Mosquitto) -> None:
    with receiving(mosquitto.port, "r") as (receiver, _):
        assert receiver.wait(10)
    send(mosquitto.port, [b"kept"])
    with receiving(mosquitto.port, "r") as (_, heard):
        heard.wait(1)


def test_two_that_share_a_subscription_get_each_message_once(mosquitto: Mosquitto) -> None:
    with (
        receiving(mosquitto.port, "one", "$share/g/t/+") as (one, first),
        receiving(mosquitto.port, "two", "$share/g/t/+") as (two, second),
    ):
        assert one.wait(10)
        assert two.wait(10)
        send(mosquitto.port, numbered(50))
        until(lambda: len(first.messages) + len(second.messages) >= 50)
        assert sorted(first.bodies() + second.bodies()) == sorted(numbered(50))
        assert first.messages
        assert second.messages


def test_with_too_many_bytes_in_hand_nothing_is_read_until_some_are_acknowledged(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MOST_BYTES", 2**20)
    bodies = numbered(400, 50_000)
    with receiving(mosquitto.port, "r") as (receiver, heard):
        assert receiver.wait(10)
        send(mosquitto.port, bodies)
        heard.wait(20)
        time.sleep(0.5)
        stopped_at = len(heard.messages)
        assert stopped_at < 60
        done = 0
        while done < len(bodies):
            heard.wait(done + 1)
            receiver.acknowledge(heard.messages[done])
            done += 1
        assert heard.bodies() == bodies


def test_without_a_connection_it_publishes_nothing(mosquitto: Mosquitto) -> None:
    receiver = Receiver(Broker(port=mosquitto.port), "r")
    assert not receiver.publish("t/b", b"too early")


def test_what_it_publishes_arrives(mosquitto: Mosquitto) -> None:
    with receiving(mosquitto.port, "r") as (receiver, heard):
        assert receiver.wait(10)
        for body in numbered(3_000):
            assert receiver.publish("t/b", body)
        for place in range(3_000):
            heard.wait(place + 1)
            receiver.acknowledge(heard.messages[place])
        assert heard.bodies() == numbered(3_000)


class Strange:
    """A broker that gives each connection the next of its answers, and then is silent."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.asked: list[bytes] = []
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Strange":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        for each in self._open:
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            self.asked.append(one.recv(1_000))
            answer = self._answers.pop(0) if self._answers else b""
            if answer:
                one.sendall(answer)
                self._open.append(one)
            else:
                one.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (WELCOME + b"\x30\xff\xff\xff\xff\x01", "what is no MQTT 5"),
        (WELCOME + b"\x32\xff\xff\x7f", "a packet of 2,097,"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "what is no MQTT 5"),
        (
            mqtt5.ConnAckPacket(
                reason_code=mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD
            ).write(),
            "refused the connection: bad user name or password",
        ),
        (
            WELCOME
            + mqtt5.DisconnectPacket(
                reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
            ).write(),
            "session taken over",
        ),
    ],
)
def test_a_broker_that_talks_nonsense_or_refuses_is_named_and_asked_again(
    answer: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Strange(answer, WELCOME) as strange, receiving(strange.port, "r"):
        until(lambda: len(strange.asked) >= 2)
        assert said in caplog.text


def test_a_broker_that_hangs_up_once_may_only_have_been_killed() -> None:
    with Strange(b"", WELCOME) as strange:
        connection = connect(Broker(port=strange.port), "r", filters=["t"])
        connection.start()
        until(lambda: len(strange.asked) >= 2)
        connection.stop()
        assert [asked[8] for asked in strange.asked] == [5, 5]


def test_a_message_that_the_codec_cannot_read_is_handed_over_and_not_asked_for_again() -> None:
    unreadable = b"\x32\x0a\x00\x02\xc3\x28\x00\x07\x00bod"
    subscribed = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write()
    with (
        Strange(WELCOME + subscribed + unreadable) as strange,
        receiving(strange.port, "r") as (_, heard),
    ):
        heard.wait(1)
        (message,) = heard.messages
        assert (message.payload, message.mid, len(strange.asked)) == (b"bod", 7, 1)


def test_a_silent_broker_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wire, "KEEPALIVE_S", 1)
    subscribed = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write()
    with Strange(WELCOME + subscribed, WELCOME) as strange, receiving(strange.port, "r"):
        until(lambda: len(strange.asked) >= 2)
        assert "the broker is silent" in caplog.text


def test_a_shared_subscription_is_not_tried_on_a_broker_that_knows_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Strange(b"\x20\x02\x00\x01") as strange:
        connection = connect(Broker(port=strange.port), "r", filters=["$share/g/t/+"])
        connection.start()
        until(lambda: "knows no shared subscriptions" in caplog.text)
        connection.stop()
        assert not connection.connected


def test_a_broker_that_hangs_up_at_mqtt_5_is_spoken_to_in_mqtt_311(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    # Hung up twice, then asked in 3.1.1, then greeted by the other connection.
    with Strange(b"", b"", b"\x20\x02\x00\x00", b"\x20\x02\x00\x00") as strange:
        connection = connect(Broker(port=strange.port), "r", filters=["t"])
        connection.start()
        until(lambda: connection.connected)
        connection.stop()
        assert "speaks MQTT 3.1.1 only" in caplog.text
        assert [asked[8] for asked in strange.asked] == [5, 5, 4, 4]


def test_it_comes_over_tls_with_the_brokers_certificate_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.issue("localhost")
    broker = Mosquitto(tmp_path / "m", extra=f"certfile {certificate}\nkeyfile {key}\n")
    broker.start()
    where = Broker(host="localhost", port=broker.port, tls=True)
    try:
        wrong = Receiver(where, "w", filters=["t"])
        wrong.start()
        until(lambda: "certificate verify failed" in caplog.text)
        wrong.stop()
        known = msgspec.structs.replace(where, ca=str(authority.certificate))
        for right in (Receiver(known, "r"), Connection(known, "old")):
            right.start()
            assert right.wait(10)
            right.stop()
    finally:
        broker.stop()
