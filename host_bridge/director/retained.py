"""What the broker is to retain: said on change only, and all of it again after a reconnect."""

from typing import Protocol


class Publisher(Protocol):
    """A connection to the broker."""

    @property
    def connected(self) -> bool:
        """Is there a session with the broker now?"""

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message over, QoS 1, without waiting; False when it can't be sent."""


class Retained:
    """The last payload of each topic, and which of them the broker has not been told."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._payloads: dict[str, bytes] = {}
        self._unsaid: set[str] = set()
        self._connection = 0

    @property
    def is_behind(self) -> bool:
        """Is the connection a new one, over which nothing was said yet?"""
        return self._connection != self._publisher.reconnects

    def put(self, topic: str, payload: bytes) -> None:
        """Say this on the topic from now on."""
        if self._payloads.get(topic) != payload:
            self._payloads[topic] = payload
            self._unsaid.add(topic)

    def send(self) -> None:
        """Publish what the broker has not been told."""
        if not self._publisher.connected:
            return
        if self.is_behind:
            # The broker may have forgotten what it retained.
            self._connection = self._publisher.reconnects
            self._unsaid.update(self._payloads)
        for topic in sorted(self._unsaid):
            if not self._publisher.publish(topic, self._payloads[topic], retain=True):
                break
            self._unsaid.discard(topic)
