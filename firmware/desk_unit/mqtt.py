"""One MQTT 3.1.1 connection: opened, used until it fails, closed. QoS 1 both ways, no queue.

What the unit has to say waits in its journals, so a connection keeps nothing but the packet
identifiers in flight. It never reconnects by itself: `link.py` makes a new one.
"""

import asyncio

from port import const, sleep_ms, ticks_diff, ticks_ms

from . import mqtt_packets as packets

WINDOW = const(8)
"""Most messages in flight, sent but without a PUBACK."""

KEEPALIVE = const(30)
"""Seconds that the broker waits half as long again for a sign of life."""

_QUIET_MS = const(15_000)
_PATIENCE_MS = const(10_000)
_CHUNK = const(256)
_REFUSALS = (
    "",
    "protocol version refused",
    "client identifier refused",
    "broker unavailable",
    "bad user name or password",
    "not authorised",
)


class Refused(Exception):
    """The broker said no to CONNECT or SUBSCRIBE; the message says why."""


class Connection:
    """A connection over a stream that `open` returns.

    Args:
        open_stream: Coroutine function that returns (reader, writer) of asyncio.
        client: Client identifier.
        will: (topic, payload) of the retained last will.
        username: User name, or None.
        password: Password, or None.
        on_message: Called as on_message(topic, payload) for every message that comes in.
        on_sent: Called as on_sent(token) when the broker has acknowledged a publish.
    """

    def __init__(
        self, open_stream, *, client, will, username, password, on_message, on_sent
    ) -> None:
        self._open_stream = open_stream
        self._hello = packets.connect(client, KEEPALIVE, username, password, will)
        self._on_message = on_message
        self._on_sent = on_sent
        self._parser = packets.Parser(self._handle)
        self._lock = asyncio.Lock()
        self._in_flight: dict[int, object] = {}
        self._replies: list[int] = []
        self._number = 0
        self._answer = None
        self._answered = asyncio.Event()
        self._greeted = asyncio.Event()
        self._pinged = False
        self._ping_at = 0
        self._ping_task: "asyncio.Task | None" = None
        self._reader: "asyncio.StreamReader | None" = None
        self._writer: "asyncio.StreamWriter | None" = None
        self._heard = self._spoke = ticks_ms()
        self.skipped = 0
        """Messages that were too long and thrown away."""

    @property
    def room(self) -> int:
        """How many more messages may be in flight."""
        return WINDOW - len(self._in_flight)

    @property
    def quiet_ms(self) -> int:
        """How long ago the broker was last heard, in milliseconds."""
        return ticks_diff(ticks_ms(), self._heard)

    async def open(self) -> None:
        """Open the stream; then run `serve` and `supervise`, and call `greet`.

        Raises:
            OSError: No connection.
        """
        self._reader, self._writer = await self._open_stream()
        self._heard = self._spoke = ticks_ms()

    async def greet(self, topic: str) -> None:
        """CONNECT and SUBSCRIBE to one filter; `serve` must be running.

        Raises:
            Refused: The broker said no.
        """
        code = await self._ask(self._hello)
        if code:
            raise Refused(_REFUSALS[code] if code < len(_REFUSALS) else "refused, code %d" % code)
        number = self._next_number()
        if await self._ask(packets.subscribe(topic, number)) != (number, 1):
            raise Refused("may not subscribe to %s" % topic)

    async def publish(self, topic: str, payload: bytes, token, retain: bool = False) -> None:
        """Send one message with QoS 1; there must be `room`.

        Args:
            topic: Its topic.
            payload: Its payload.
            token: Handed to `on_sent` when the broker has it.
            retain: Whether the broker keeps it for later subscribers.
        """
        number = self._next_number()
        self._in_flight[number] = token
        await self._send(packets.publish(topic, payload, number, retain))

    async def serve(self) -> None:
        """Handle what comes in; never returns.

        Raises:
            OSError: The connection is gone.
            ProtocolError: The broker can't be understood.
        """
        reader = self._reader
        if reader is None:
            raise OSError("not connected yet")
        # The TLS handshake is the first write's; a read meanwhile would hide why it failed.
        await self._greeted.wait()
        while True:
            data = await reader.read(_CHUNK)
            if not data:
                raise OSError("the broker closed the connection")
            self._heard = ticks_ms()
            self._pinged = False
            self._parser.feed(data)
            while self._replies:
                await self._send(packets.puback(self._replies.pop(0)))

    async def supervise(self) -> None:
        """Ping when it is quiet; never returns. Notices a half-open connection within 27 s.

        Raises:
            OSError: The broker has not answered in time.
        """
        while True:
            await sleep_ms(1_000)
            now = ticks_ms()
            if self._pinged:
                if ticks_diff(now, self._ping_at) > _PATIENCE_MS:
                    raise OSError("the broker does not answer")
            elif (
                ticks_diff(now, self._heard) >= _QUIET_MS
                or ticks_diff(now, self._spoke) >= _QUIET_MS
            ):
                self._pinged = True
                self._ping_at = now
                # Not awaited in place: on a half-open connection a send may never finish.
                self._ping_task = asyncio.create_task(self._ping())

    async def close(self) -> None:
        """Close the stream without a DISCONNECT, so that the broker sends the last will."""
        if self._ping_task:
            self._ping_task.cancel()
        if self._writer is None:
            return
        try:
            self._writer.close()
            await self._writer.wait_closed()
        except OSError:
            pass  # it is gone, which is what was wanted

    async def _ping(self) -> None:
        try:
            await self._send(packets.PINGREQ)
        except OSError:
            pass  # `serve` sees the same failure and reports it

    async def _send(self, data: bytes) -> None:
        # MicroPython's StreamWriter loses what a second task writes while a first one drains.
        async with self._lock:
            if self._writer is None:
                raise OSError("not connected yet")
            self._writer.write(data)
            await self._writer.drain()
        self._spoke = ticks_ms()
        self._greeted.set()

    async def _ask(self, data: bytes):
        self._answered.clear()
        await self._send(data)
        await self._answered.wait()
        return self._answer

    def _reply(self, answer) -> None:
        self._answer = answer
        self._answered.set()

    def _next_number(self) -> int:
        while True:
            self._number = self._number % 0xFFFF + 1
            if self._number not in self._in_flight:
                return self._number

    def _handle(self, first: int, body, cut: bool) -> None:
        kind = first & 0xF0
        if kind == packets.PUBLISH:
            self._take_publish(first, body, cut)
        elif kind == packets.PUBACK:
            number = packets.read_number(body)
            if number in self._in_flight:
                self._on_sent(self._in_flight.pop(number))
        elif kind == packets.SUBACK:
            self._reply(packets.read_suback(body))
        elif kind == packets.CONNACK:
            self._reply(packets.read_connack(body))

    def _take_publish(self, first: int, body, cut: bool) -> None:
        topic, number, payload = packets.read_publish(first, body)
        if number:
            self._replies.append(number)
        if cut:
            self.skipped += 1
        else:
            self._on_message(topic, payload)
