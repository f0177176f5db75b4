"""An MQTT connection that comes back by itself, and leaves the acknowledging to its owner."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypedDict, Unpack

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from host_bridge.settings import Broker

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
BACK_OFF_S = (1, 30)
"""First and longest wait before another try to connect; it doubles in between."""
MAX_OUT = 10_000
"""Messages that wait for their way out; with more, `publish` refuses."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message as it came. `received_ms` is the host's clock, Unix milliseconds.

    `mid` and `session` say which delivery to acknowledge: a broker numbers them per connection.
    """

    topic: str
    payload: bytes
    received_ms: int
    mid: int
    qos: int
    session: int
    retained: bool


class Transport(Protocol):
    """What the host needs of a connection; see `Connection`."""

    @property
    def connected(self) -> bool:
        """Is there a connection now?"""

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""

    def stop(self) -> None:
        """Send what waits, then disconnect. Safe to call twice."""

    def renew(self) -> None:
        """Connect anew, so that the broker delivers again what was not acknowledged."""

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that it may forget the message."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send with QoS 1; False when that is not possible now."""


class Session(TypedDict, total=False):
    """What a transport is to do; said at `Connection`."""

    filters: Sequence[str]
    receive: Callable[[Message], None] | None
    clean: bool
    manual: bool


class Connect(Protocol):
    """Makes a transport."""

    def __call__(self, broker: Broker, client_id: str, **session: Unpack[Session]) -> Transport:
        """A connection that `start` makes."""


class Connection:
    """One connection to the broker (MQTT 3.1.1), with a session that outlives it.

    `receive` is called on the network's own thread: it must neither block nor raise, and must
    not publish.

    Messages of QoS 1 stay with the broker until `acknowledge`. That must happen in the order of
    arrival (MQTT 3.1.1, section 4.6); rumqttd ends the connection of whoever doesn't.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        *,
        filters: Sequence[str] = (),
        receive: Callable[[Message], None] | None = None,
        clean: bool = False,
        manual: bool = True,
        once: bool = False,
    ) -> None:
        """Prepare; `start` connects.

        Args:
            broker: where it is.
            client_id: stable, and of this one process only.
            filters: what to subscribe to, QoS 1.
            receive: what to do with a message.
            clean: let the broker forget the session when the connection ends.
            manual: the owner acknowledges; otherwise it is done when `receive` returns.
            once: when the connection is lost, it stays so, and what waited to be sent is gone.
        """
        self._broker = broker
        self._filters = list(filters)
        self._receive = receive
        self._manual = manual
        self._session = 0
        self._up = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean,
            manual_ack=manual,
            reconnect_on_failure=not once,
            protocol=paho.MQTTv311,
        )
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            self._client.tls_set_context(ssl.create_default_context(cafile=broker.ca))
        self._client.reconnect_delay_set(*BACK_OFF_S)
        self._client.max_inflight_messages_set(1_000)
        self._client.max_queued_messages_set(MAX_OUT)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    @property
    def connected(self) -> bool:
        """Is there a connection now?"""
        return self._up.is_set()

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""
        return max(0, self._session - 1)

    def start(self) -> None:
        """Connect in the background, and again whenever the connection is lost."""
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_start()

    def wait(self, seconds: float) -> bool:
        """Wait until there is a connection; False when there is none after that time."""
        return self._up.wait(seconds)

    def stop(self) -> None:
        """Send what waits, then disconnect. Safe to call twice."""
        self._client.disconnect()
        self._client.loop_stop()
        self._up.clear()

    def renew(self) -> None:
        """Connect anew, so that the broker delivers again what was not acknowledged."""
        self.stop()
        self.start()

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that it may forget the message.

        Does nothing for a delivery over an earlier connection: the broker will deliver it again,
        and its number may meanwhile belong to another message.
        """
        if message.qos and message.session == self._session and self.connected:
            self._client.ack(message.mid, message.qos)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send with QoS 1; False when there is no connection or too much is waiting already."""
        if not self.connected:
            return False
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        where = f"{self._broker.host}:{self._broker.port}"
        if reason.is_failure:
            log.error("the broker at %s refused the connection: %s", where, reason)
            return
        self._session += 1
        # Within the callback, but it only puts a packet into the queue. Each time anew, because
        # a broker that was restarted knows of no session.
        if self._filters:
            client.subscribe([(topic, 1) for topic in self._filters])
        self._up.set()
        log.info("connected to the broker at %s", where)

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:
        log.warning(
            "no broker answers at %s:%s; trying again", self._broker.host, self._broker.port
        )

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._up.clear()
        if reason.is_failure:
            log.warning("the connection to the broker was lost (%s); trying again", reason)

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any
    ) -> None:
        for topic, reason in zip(self._filters, reasons, strict=False):
            if reason.is_failure:
                log.error("the broker refused the subscription to %s: %s", topic, reason)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if self._receive is None:
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(a topic that is not UTF-8)"
        self._receive(
            Message(
                topic,
                bytes(message.payload),
                time.time_ns() // 1_000_000,
                message.mid,
                message.qos,
                self._session,
                message.retain,
            )
        )


def _send_at_once(_client: paho.Client, _data: Any, connection: Any) -> None:
    """Without this an acknowledgement to a unit waits 40 ms for the TCP ack of the PUBACK."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
