"""A desk unit's ears: what the broker hands to a subscriber."""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Listener:
    """Subscribes to a filter and keeps (arrival, topic, payload, retained) of what comes."""

    def __init__(self, port: int, topic: str) -> None:
        self.heard: list[tuple[float, str, Any, bool]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda c, *_: c.subscribe(topic, 1)
        self._client.on_message = self._on_message
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(30), "the broker does not take the subscription"

    def _on_message(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        heard = (time.time(), message.topic, msgspec.json.decode(message.payload), message.retain)
        self.heard.append(heard)

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1, retain=True).wait_for_publish(5)

    def bodies(self, end: str) -> list[Any]:
        """The payloads on topics that end so."""
        return [body for _, topic, body, _ in self.heard if topic.endswith(end)]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def eventually(true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `true` returns as soon as it is something; fails with the last value otherwise."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
        time.sleep(0.01)
    return value
