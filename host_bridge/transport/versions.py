"""Which MQTT the broker is spoken to in, and so by which of the two connections."""

import logging
from typing import Unpack

from host_bridge.settings import Broker
from host_bridge.transport.mqtt import Connection, Message, Session, Transport
from host_bridge.transport.receiver import Receiver

log = logging.getLogger(__name__)


def connect(broker: Broker, client_id: str, **session: Unpack[Session]) -> Transport:
    """A connection as `[broker] version` wants it; the arguments are those of `Connection`."""
    how = Newest if broker.version == "auto" else Receiver if broker.version == "5" else Connection
    return how(broker, client_id, **session)


class Newest:
    """A connection in MQTT 5, or in 3.1.1 once the broker turns out to speak no more than that."""

    def __init__(self, broker: Broker, client_id: str, **session: Unpack[Session]) -> None:
        """Prepare; see `Receiver`."""
        self._where = f"{broker.host}:{broker.port}"
        self._shared = any(each.startswith("$share/") for each in session.get("filters", ()))
        self._old = Connection(broker, client_id, **session)
        self._now: Transport = Receiver(broker, client_id, **session, old=self._fall_back)

    @property
    def connected(self) -> bool:
        """Is there a connection now?"""
        return self._now.connected

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""
        return self._now.reconnects

    def start(self) -> None:
        """Connect in the background, and again whenever the connection is lost."""
        self._now.start()

    def stop(self) -> None:
        """Send what waits, then disconnect. Safe to call twice."""
        while True:
            now = self._now
            now.stop()
            if now is self._now:
                return

    def renew(self) -> None:
        """Connect anew, so that the broker delivers again what was not acknowledged."""
        self._now.renew()

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that it may forget the message."""
        self._now.acknowledge(message)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send with QoS 1; False when that is not possible now."""
        return self._now.publish(topic, payload, retain=retain)

    def _fall_back(self) -> None:
        """On the receiver's thread, which ends then."""
        if self._shared:
            log.error(
                "the broker at %s speaks MQTT 3.1.1 only, which knows no shared subscriptions: "
                "nothing is received. Start the relay without --share, or use another broker",
                self._where,
            )
            return
        log.info("the broker at %s speaks MQTT 3.1.1 only", self._where)
        self._now = self._old
        self._old.start()
