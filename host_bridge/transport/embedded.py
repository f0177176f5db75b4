"""The embedded broker (rumqttd, from the iotcore wheel) for trying things out on one machine.

It asks nobody for a password, so it serves this machine only. docs/operations.md says what it
does differently from mosquitto, which is the broker for a real site.
"""

import ipaddress
import logging

import iotcore

from host_bridge.settings import Broker

log = logging.getLogger(__name__)

MAX_PAYLOAD = 20_480
"""Bytes of a payload; rumqttd ends the connection of whoever sends more."""


class EmbeddedBrokerError(Exception):
    """The embedded broker can't start. The message says why and what to do.

    Attributes:
        where: host and port.
    """

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"The embedded broker can't listen on {where}: {reason}.")
        self.where = where


class EmbeddedBroker:
    """A broker in a process of its own, which ends together with this one.

    Use it as a context manager.
    """

    def __init__(self, broker: Broker) -> None:
        self.where = f"{broker.host}:{broker.port}"
        if not _is_loopback(broker.host):
            raise EmbeddedBrokerError(
                self.where,
                "it has no passwords and therefore serves 127.0.0.1 only; "
                "install mosquitto for units on the network",
            )
        host = "127.0.0.1" if broker.host == "localhost" else broker.host
        self._broker = iotcore.Broker(port=broker.port, listen=host, max_payload_size=MAX_PAYLOAD)

    def __enter__(self) -> "EmbeddedBroker":
        try:
            self._broker.start()
        except (OSError, RuntimeError) as error:
            raise EmbeddedBrokerError(self.where, f"{error}; is another one running?") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.stop()

    @property
    def running(self) -> bool:
        """Is its process alive?"""
        return bool(self._broker.is_running)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
