"""One connection to a broker of MQTT 5, from CONNECT to its end. All on the event loop's thread.

Only `acknowledge` and `publish` may be called from other threads.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import mqtt5

from host_bridge.settings import Broker
from host_bridge.transport.frames import LONGEST, Frames, MalformedError, Unreadable
from host_bridge.transport.mqtt import MAX_OUT, Message

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
SESSION_S = 7 * 86_400
"""How long the broker keeps what came while the relay was away."""
SHARED_SESSION_S = 30
"""The same for one of several that share a subscription: what waits for a worker that is gone
reaches no other. Units send again, and the others get that."""
WINDOW = 12_000
"""Receive Maximum: deliveries in hand. Several batches, so that one is received while the one
before is being committed."""
MOST_BYTES = 24 * 2**20
"""Bytes in hand, with `OVERHEAD` for each message, above which nothing more is read."""
OVERHEAD = 1_000
LEAVE_S = 2.0
"""How long the broker may take to hang up."""
OUT = 1_000
"""Messages of ours that the broker may not have acknowledged yet."""

_CONNACK_311 = b"\x20\x02"
"""How the answer of a broker of MQTT 3.1.1 begins; a CONNACK of MQTT 5 is longer."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class OldBrokerError(Exception):
    """The broker speaks MQTT 3.1.1 at the most."""


class BrokerRefusedError(Exception):
    """The broker does not let us in, or sent us away. The message says why."""


class Wire(asyncio.Protocol):
    """The packets of one connection. `ended` is done when it is over, with the reason if any."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        filters: Sequence[str],
        receive: Callable[[Message], None],
        session: int,
        *,
        clean: bool,
    ) -> None:
        """Prepare; see `Receiver`. `session` is what messages carry as theirs."""
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        """Done when the broker has taken the subscriptions."""
        self.gone: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection is closed on both sides."""
        self.heard = False
        """Whether a single byte came from the broker."""
        self.session = session
        self._filters = list(filters)
        self._receive = receive
        shared = any(each.startswith("$share/") for each in filters)
        self._connect = mqtt5.ConnectPacket(
            client_id,
            username=broker.username,
            password=None if broker.password is None else broker.password.encode(),
            clean_start=clean,
            keep_alive=KEEPALIVE_S,
            session_expiry_interval=0 if clean else SHARED_SESSION_S if shared else SESSION_S,
            receive_max=WINDOW,
            max_packet_size=LONGEST,
        )
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._keepalive = KEEPALIVE_S
        self._timer: asyncio.TimerHandle | None = None
        self._sent_at = self._heard_at = time.monotonic()
        # Deques, because threads may append to them while the loop's takes out.
        self._acks: deque[bytes] = deque()
        self._acked: deque[int] = deque()
        self._out: deque[tuple[str, bytes, bool]] = deque()
        self._awake = False
        self._in_hand = 0
        self._paused = False
        self._quota = OUT
        self._last_id = 0
        self._unconfirmed: set[int] = set()

    # What other threads may call.

    def acknowledge(self, message: Message) -> None:
        """Send the PUBACK of a message; in the order of the calls."""
        self._acks.append(b"\x40\x02" + message.mid.to_bytes(2, "big"))
        self._acked.append(OVERHEAD + len(message.payload))
        self._wake()

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        """Send with QoS 1; False when too much waits already."""
        if len(self._out) >= MAX_OUT:
            return False
        self._out.append((topic, payload, retain))
        self._wake()
        return True

    def _wake(self) -> None:
        if self._awake:
            return
        self._awake = True
        self._loop.call_soon_threadsafe(self._flush)

    # The loop's thread.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the broker."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is a class of its own
        self._write(self._connect.write())
        self._timer = self._loop.call_later(KEEPALIVE_S / 3, self._tick)

    def connection_lost(self, reason: Exception | None) -> None:
        """It is over."""
        if not self.gone.done():
            self.gone.set_result(None)
        self._end(reason or ConnectionError("the broker closed it"))

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        if self.ended.done():
            return
        self._heard_at = time.monotonic()
        if not self.heard:
            self.heard = True
            if data.startswith(_CONNACK_311):
                self._end(OldBrokerError())
                return
        received_ms = time.time_ns() // 1_000_000
        try:
            for packet in self._frames.feed(data):
                if type(packet) is mqtt5.PublishPacket:
                    self._take(packet, received_ms)
                elif not self.ended.done():
                    self._handle(packet, received_ms)
        except MalformedError as error:
            self._disconnect(mqtt5.DisconnectReasonCode.MALFORMED_PACKET)
            self._end(MalformedError(f"the broker sent what is no MQTT 5: {error}"))
        if self._in_hand > MOST_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _take(self, packet: "mqtt5.PublishPacket | Unreadable", received_ms: int) -> None:
        number = packet.packet_id or 0
        if number:
            self._in_hand += OVERHEAD + len(packet.payload)
        self._receive(
            Message(
                packet.topic,
                packet.payload,
                received_ms,
                number,
                1 if number else 0,
                self.session,
                packet.retain,
            )
        )

    def _handle(self, packet: "mqtt5.Packet | Unreadable", received_ms: int) -> None:
        match packet:
            case Unreadable():
                log.error(
                    "a message on %r can't be read by the codec; it goes to the dead letters",
                    packet.topic,
                )
                self._take(packet, received_ms)
            case mqtt5.PubAckPacket():
                self._unconfirmed.discard(packet.packet_id)
                self._flush()
            case mqtt5.ConnAckPacket():
                self._on_connack(packet)
            case mqtt5.SubAckPacket():
                self._on_suback(packet)
            case mqtt5.DisconnectPacket():
                why = packet.reason_str or _said(packet.reason_code)
                self._end(BrokerRefusedError(f"the broker ended it: {why}"))
            case _:
                pass

    def _on_connack(self, packet: mqtt5.ConnAckPacket) -> None:
        code = packet.reason_code
        if code == mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION:
            self._end(OldBrokerError())
        elif code != mqtt5.ConnAckReasonCode.SUCCESS:
            why = packet.reason_str or _said(code)
            self._end(BrokerRefusedError(f"the broker refused the connection: {why}"))
        else:
            self._quota = min(OUT, packet.receive_max)
            if packet.server_keep_alive is not None:
                self._keepalive = packet.server_keep_alive
            self._subscribe()

    def _subscribe(self) -> None:
        """Each time anew, because a broker that was restarted knows of no session."""
        if not self._filters:
            self.ready.set_result(None)
            return
        wanted = [
            mqtt5.TopicFilter(each, max_qos=mqtt5.QoS.AT_LEAST_ONCE) for each in self._filters
        ]
        self._write(mqtt5.SubscribePacket(self._next_id(), wanted).write())

    def _on_suback(self, packet: mqtt5.SubAckPacket) -> None:
        for topic, code in zip(self._filters, packet.reason_codes, strict=False):
            if int(code) >= 0x80:
                why = _said(code)
                log.error("the broker refused the subscription to %s: %s", topic, why)
        if not self.ready.done():
            self.ready.set_result(None)

    def _flush(self) -> None:
        """Send what waits: first what frees the broker's window, then what we have to say."""
        self._awake = False
        if self.ended.done():
            return
        sizes, acks = self._acked, self._acks
        for _ in range(len(sizes)):
            self._in_hand -= sizes.popleft()
        if acks:
            self._write(b"".join([acks.popleft() for _ in range(len(acks))]))
        if self._paused and self._in_hand < MOST_BYTES // 2 and self._transport is not None:
            self._paused = False
            self._heard_at = time.monotonic()
            self._transport.resume_reading()
        packets = []
        while self._out and self.ready.done() and len(self._unconfirmed) < self._quota:
            topic, payload, retain = self._out.popleft()
            number = self._next_id()
            self._unconfirmed.add(number)
            qos = mqtt5.QoS.AT_LEAST_ONCE
            packet = mqtt5.PublishPacket(topic, payload, qos=qos, retain=retain, packet_id=number)
            packets.append(packet.write())
        if packets:
            self._write(b"".join(packets))

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % 65_535 + 1
            if self._last_id not in self._unconfirmed:
                return self._last_id

    def _tick(self) -> None:
        """Now and then: show that we live, and see whether the broker does."""
        now, alive = time.monotonic(), self._keepalive
        if alive:
            if now - self._sent_at >= alive / 2:
                self._write(mqtt5.PingReqPacket().write())
            # While nothing is read, its answers are not seen either.
            if not self._paused and now - self._heard_at > alive * 1.5:
                self._end(ConnectionError("the broker is silent"))
                return
        self._timer = self._loop.call_later(max(alive, 3) / 6, self._tick)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._sent_at = time.monotonic()

    def close(self) -> None:
        """Send what waits, then say good-bye; the broker keeps the session, and hangs up."""
        if self.ended.done():
            return
        self._flush()
        self._disconnect(mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION)
        if self._paused and self._transport is not None:
            self._transport.resume_reading()  # or its hanging up would not be seen
        self._stop_ticking()
        self.ended.set_result(None)

    async def leave(self) -> None:
        """Close, and wait until the broker has read it all.

        A connection that follows at once might be served first, and what we have acknowledged
        would be delivered again.
        """
        self.close()
        if self._transport is None:
            return
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.gone
        except TimeoutError:
            self._transport.abort()

    def _disconnect(self, reason: mqtt5.DisconnectReasonCode) -> None:
        self._write(mqtt5.DisconnectPacket(reason_code=reason).write())

    def _stop_ticking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self, reason: Exception) -> None:
        self._stop_ticking()
        if self._transport is not None:
            self._transport.close()
        if not self.ended.done():
            self.ended.set_exception(reason)


def _said(code: "_Named") -> str:
    return code.name.lower().replace("_", " ")
