"""What a broker says about itself when somebody connects with MQTT 5 (CONNACK, section 3.2.2.3)."""

import queue
import secrets
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from host_bridge.settings import Broker

WAIT_S = 5.0


class BrokerUnreachableError(Exception):
    """Nobody answers, or the connection is refused. The message says which."""


class BrokerLimits(msgspec.Struct, frozen=True):
    """Limits; None is none, or not told. `kind` is the broker's own name, if it gives one."""

    kind: str
    inflight: int | None
    packet: int | None
    retain: bool | None
    shared: bool | None


def ask(broker: Broker) -> BrokerLimits:
    """Connect, listen, and leave.

    Raises:
        BrokerUnreachableError: there is no broker, or it refuses us.
    """
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    kinds: queue.SimpleQueue[str] = queue.SimpleQueue()
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"chequer-doctor-{secrets.token_hex(4)}",
        protocol=paho.MQTTv5,
        reconnect_on_failure=False,
    )
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    client.on_connect = lambda _c, _d, _f, reason, properties: heard.put((reason, properties))
    client.on_message = lambda _c, _d, message: kinds.put(message.payload.decode(errors="replace"))
    try:
        client.connect(broker.host, broker.port, 30)
    except OSError as error:
        raise BrokerUnreachableError(error.strerror or "no answer") from error
    client.loop_start()
    try:
        return _answer(client, heard, kinds)
    finally:
        client.disconnect()
        client.loop_stop()


def _answer(
    client: paho.Client, heard: queue.SimpleQueue[Any], kinds: queue.SimpleQueue[str]
) -> BrokerLimits:
    try:
        reason, properties = heard.get(timeout=WAIT_S)
    except queue.Empty:
        # One that knows only MQTT 3.1.1 closes the connection; it has no limits to tell.
        return BrokerLimits("MQTT 3.1.1 only", None, None, None, None)
    if reason.is_failure:
        raise BrokerUnreachableError(f"it refuses the connection ({reason})")
    client.subscribe("$SYS/broker/version")
    try:
        kind = kinds.get(timeout=1.0)
    except queue.Empty:
        kind = "of a kind that it does not tell"
    return BrokerLimits(
        kind=kind,
        inflight=getattr(properties, "ReceiveMaximum", None),
        packet=getattr(properties, "MaximumPacketSize", None),
        retain=_flag(properties, "RetainAvailable"),
        shared=_flag(properties, "SharedSubscriptionAvailable"),
    )


def _flag(properties: Any, name: str) -> bool | None:
    value = getattr(properties, name, None)
    return None if value is None else bool(value)
