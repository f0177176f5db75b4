"""The broker's side of a desk unit on a serial line: one MQTT connection in the unit's name."""

import contextlib
import queue
from collections.abc import Callable
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from host_bridge.contract import topics
from host_bridge.contract.messages import State
from host_bridge.settings import Broker

KEEPALIVE_S = 30


class Up(msgspec.Struct, frozen=True):
    """Connected and subscribed."""


class Down(msgspec.Struct, frozen=True):
    """The connection is lost, or was refused; `reason` is a sentence."""

    reason: str


class Published(msgspec.Struct, frozen=True):
    """The broker has the message that `publish` gave this number."""

    mid: int


class Arrived(msgspec.Struct, frozen=True):
    """A message for the unit; `word` is its topic below the unit's name."""

    word: str
    payload: bytes
    mid: int


Event = Up | Down | Published | Arrived


class Upstream:
    """Connects at once and once only: the unit asks again when the connection is lost.

    What happens is put into `events`; `wake` is called afterwards, on the network's thread.
    """

    def __init__(self, broker: Broker, site: str, unit: str, wake: Callable[[], None]) -> None:
        """Prepare; `start` connects.

        Args:
            broker: where it is.
            site: the unit's site.
            unit: its name; the connection has the client identifier that the unit itself uses.
            wake: interrupts whoever waits for something else.
        """
        self._broker = broker
        self._base = f"{topics.PREFIX}/{site}/{unit}/"
        self._wake = wake
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._absent = msgspec.json.encode(State(unit=unit, online=False))
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"chequer-{site}-{unit}",
            clean_session=True,
            manual_ack=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        self._client.will_set(self._base + "state", self._absent, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_publish = lambda _c, _d, mid, *_: self._tell(Published(mid))
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect in the background."""
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_start()

    def publish(self, word: str, payload: bytes, *, retain: bool) -> int | None:
        """Send with QoS 1; the number that `Published` will name, None without a connection."""
        sent = self._client.publish(self._base + word, payload, qos=1, retain=retain)
        return sent.mid if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def acknowledge(self, mid: int) -> None:
        """The unit has the message: the broker may forget it."""
        self._client.ack(mid, 1)

    def stop(self) -> None:
        """Say that the unit is gone, as its last will would, and disconnect."""
        if self._client.is_connected():
            sent = self._client.publish(self._base + "state", self._absent, qos=1, retain=True)
            # Lost in this very moment: then the broker sends the last will.
            with contextlib.suppress(RuntimeError, ValueError):
                sent.wait_for_publish(2)
        self._client.disconnect()
        self._client.loop_stop()

    def _tell(self, event: Event) -> None:
        self.events.put(event)
        self._wake()

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._tell(Down(f"the broker refused the connection: {reason}"))
            return
        client.subscribe([(f"{self._base}down/+", 1)])

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any
    ) -> None:
        refused = any(reason.is_failure for reason in reasons)
        self._tell(Down("the broker refused the subscription") if refused else Up())

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._tell(Down(f"the connection to the broker was lost: {reason}"))

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:
        self._tell(Down(f"no broker answers at {self._broker.host}:{self._broker.port}"))

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        word = message.topic.removeprefix(self._base)
        if (
            word not in [f"down/{known}" for known in topics.DOWN_WORDS]
            or len(message.payload) > 1024
        ):
            client.ack(message.mid, message.qos)  # nothing that a unit could use
            return
        self._tell(Arrived(word, bytes(message.payload), message.mid))
