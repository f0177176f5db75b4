"""The director's connection to the broker.

Callbacks only put things down; the director's own thread takes them up, so that nothing blocks
or publishes inside MQTT's thread.
"""

import queue
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from host_bridge.settings import Broker

MAX_WAITING = 50_000
"""Messages that may wait for the director's thread."""


class Link:
    """A client that connects, and connects again, on its own.

    `overruns` counts messages that were thrown away because too many waited.
    """

    def __init__(self, broker: Broker, name: str, filters: Sequence[str]) -> None:
        """Nothing is sent before `start`.

        Args:
            broker: where the broker listens.
            name: for the client id; a random part is added.
            filters: the topics to subscribe to at every connection.
        """
        self.overruns = 0
        self.since_ms = _now_ms()
        """When the connection came or went last, Unix milliseconds."""
        self.session = 0
        """How many sessions with the broker there have been."""
        self._broker = broker
        self._filters = [(topic, 1) for topic in filters]
        self._waiting: queue.Queue[tuple[str, bytes]] = queue.Queue(MAX_WAITING)
        self._connected = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{name}-{secrets.token_hex(4)}",
            protocol=mqtt.MQTTv5,
        )
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Begin to connect, in a thread of the client."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=15)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and wait for the thread to end. Safe to call twice."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Is there a session with the broker now?"""
        return self._connected.is_set()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand a message over, QoS 1, without waiting for the broker."""
        self._client.publish(topic, payload, qos=1, retain=retain)

    def received(self) -> Iterator[tuple[str, bytes]]:
        """Topic and payload of the messages that wait, each once."""
        while True:
            try:
                yield self._waiting.get_nowait()
            except queue.Empty:
                return

    def _on_connect(self, client: mqtt.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            return
        if self._filters:
            client.subscribe(self._filters)
        self.since_ms = _now_ms()
        self.session += 1
        self._connected.set()

    def _on_disconnect(self, _c: mqtt.Client, _u: Any, _f: Any, _reason: Any, _p: Any) -> None:
        self.since_ms = _now_ms()
        self._connected.clear()

    def _on_message(self, _c: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # counted as a topic that is none of ours
        try:
            self._waiting.put_nowait((topic, bytes(message.payload)))
        except queue.Full:
            self.overruns += 1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
