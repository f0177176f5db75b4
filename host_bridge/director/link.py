"""The director's ears: what comes from the broker waits here for the director's own thread.

Nothing blocks or publishes inside MQTT's thread.
"""

import queue
import secrets
from collections.abc import Iterator, Sequence

from host_bridge.clock import SYSTEM, Clock
from host_bridge.settings import Broker
from host_bridge.transport.mqtt import Connect, Connection, Message

MAX_WAITING = 50_000
"""Messages that may wait for the director's thread."""


class Link:
    """A connection that needs no session: what matters is retained.

    `overruns` counts messages that were thrown away because too many waited.
    """

    def __init__(
        self,
        broker: Broker,
        name: str,
        filters: Sequence[str],
        clock: Clock = SYSTEM,
        connect: Connect = Connection,
    ) -> None:
        """Nothing is sent before `start`.

        Args:
            broker: where the broker listens.
            name: for the client id; a random part is added, so that two never evict each other.
            filters: the topics to subscribe to at every connection.
            clock: what tells the time.
            connect: what makes a connection to the broker.
        """
        self.overruns = 0
        self._waiting: queue.Queue[Message] = queue.Queue(MAX_WAITING)
        self._clock = clock
        self._connection = connect(
            broker,
            f"{name}-{secrets.token_hex(4)}",
            filters=filters,
            receive=self._receive,
            clean=True,
            manual=False,
        )
        self._was_connected = False
        self._changed_ms = self._clock.unix_ms()

    def start(self) -> None:
        """Begin to connect, in a thread of the connection."""
        self._connection.start()

    def stop(self) -> None:
        """Disconnect and wait for the thread to end. Safe to call twice."""
        self._connection.stop()

    @property
    def connected(self) -> bool:
        """Is there a session with the broker now?"""
        now = self._connection.connected
        if now != self._was_connected:
            self._was_connected = now
            self._changed_ms = self._clock.unix_ms()
        return now

    @property
    def since_ms(self) -> int:
        """When the connection was seen to come or go last, Unix milliseconds."""
        return self._changed_ms

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""
        return self._connection.reconnects

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message over, QoS 1, without waiting; False when it can't be sent."""
        return self._connection.publish(topic, payload, retain=retain)

    def received(self) -> Iterator[tuple[str, bytes]]:
        """Topic and payload of the messages that wait, each once."""
        while True:
            try:
                message = self._waiting.get_nowait()
            except queue.Empty:
                return
            yield message.topic, message.payload

    def _receive(self, message: Message) -> None:
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            self.overruns += 1
