"""A connection to the host over a serial line: what `mqtt.Connection` is, in frames.

Messages are numbered; the other side takes them in their order only and says up to which number
it has them (go back N), so noise costs time and loses nothing. The gateway answers for a message
when the broker has it, so that "sent" means what it means over Wi-Fi.
"""

import asyncio

from port import const, sleep_ms, ticks_diff, ticks_ms

from . import frames

WINDOW = const(8)
"""Most messages in flight, sent but not taken."""

_TICK_MS = const(250)
_QUIET_MS = const(3_000)
_RESEND_MS = const(1_000)
_RESEND_MAX_MS = const(4_000)
_PATIENCE_MS = const(10_000)
_CHUNK = const(256)
_RETAIN = const(1)


class Connection:
    """A connection over a stream that `open_stream` returns; the stream is never closed here.

    Args:
        open_stream: Coroutine function that returns (reader, writer) of asyncio.
        topics: What all topics of this unit begin with; only what follows goes over the line.
        hello: JSON bytes that name site and unit.
        on_message: Called as on_message(topic, payload) for every message that comes in.
        on_sent: Called as on_sent(token) when the gateway has taken a message.
    """

    def __init__(self, open_stream, *, topics: str, hello: bytes, on_message, on_sent) -> None:
        self._open_stream = open_stream
        self._topics = topics
        self._hello = hello
        self._on_message = on_message
        self._on_sent = on_sent
        self._deframer = frames.Deframer(self._handle)
        self._lock = asyncio.Lock()
        self._out: list[tuple] = []  # (number, body, token) of what is not taken yet, in order
        self._number = 0
        self._taken = 0  # number of the last message that came in, in order
        self._owed = False
        self._welcome = asyncio.Event()
        self._session = 0
        self._refusal = ""
        self._reader: "asyncio.StreamReader | None" = None
        self._writer: "asyncio.StreamWriter | None" = None
        self._tasks: list = []
        self._interval = _RESEND_MS
        self._heard = self._spoke = self._progress = self._sent_at = ticks_ms()
        self.skipped = 0
        """Frames that made no sense though their checksum was right."""

    @property
    def room(self) -> int:
        """How many more messages may be in flight."""
        return WINDOW - len(self._out)

    @property
    def quiet_ms(self) -> int:
        """How long ago the gateway was last heard, in milliseconds."""
        return ticks_diff(ticks_ms(), self._heard)

    async def open(self) -> None:
        """Open the stream; then run `serve` and `supervise`, and call `greet`.

        Raises:
            OSError: There is no serial line.
        """
        self._reader, self._writer = await self._open_stream()
        self._heard = self._spoke = ticks_ms()

    async def greet(self, _topic: str) -> None:
        """Say who this is, until the gateway has connected to the broker; `serve` must run."""
        self._session = ticks_ms() % 255 + 1
        while not self._welcome.is_set():
            await self._send(frames.frame(frames.HELLO, self._session, self._hello))
            try:
                await asyncio.wait_for(self._welcome.wait(), 1)
            except asyncio.TimeoutError:
                pass
        self._progress = ticks_ms()

    async def publish(self, topic: str, payload: bytes, token, retain: bool = False) -> None:
        """Send one message; there must be `room`.

        Args:
            topic: Its topic.
            payload: Its payload.
            token: Handed to `on_sent` when the gateway has taken it.
            retain: Whether the broker keeps it for later subscribers.
        """
        word = topic[len(self._topics) :].encode()
        body = bytes((_RETAIN if retain else 0, len(word))) + word + payload
        self._number = self._number % 255 + 1
        if not self._out:
            self._progress = self._sent_at = ticks_ms()
        self._out.append((self._number, body, token))
        await self._send(frames.frame(frames.MESSAGE, self._number, body))

    async def serve(self) -> None:
        """Handle what comes in; never returns.

        Raises:
            OSError: The line is gone, or the gateway said that it can't go on.
        """
        reader = self._reader
        if reader is None:
            raise OSError("not connected yet")
        while True:
            data = await reader.read(_CHUNK)
            if not data:
                raise OSError("the serial line is gone")
            self._deframer.feed(data)
            if self._refusal:
                raise OSError("the gateway refuses: " + self._refusal)
            if self._owed:
                self._owed = False
                await self._send(frames.frame(frames.TAKEN, self._taken))

    async def supervise(self) -> None:
        """Send again what was not taken, ask whether anybody is there; never returns.

        Raises:
            OSError: Nobody has answered for 10 s, or has taken nothing for so long.
        """
        while True:
            await sleep_ms(_TICK_MS)
            now = ticks_ms()
            if ticks_diff(now, self._heard) > _PATIENCE_MS:
                raise OSError("nobody answers on the serial line")
            if self._out and ticks_diff(now, self._progress) > _PATIENCE_MS:
                raise OSError("the gateway takes no messages")
            if self._out and ticks_diff(now, self._sent_at) > self._interval:
                self._interval = min(_RESEND_MAX_MS, self._interval * 2)
                self._sent_at = now
                # Not awaited in place: a line that is held back may never take it.
                self._start(self._again())
            elif ticks_diff(now, self._heard) > _QUIET_MS:
                self._start(self._send(frames.frame(frames.PING, 0)))

    async def close(self) -> None:
        """Stop using the stream."""
        for task in self._tasks:
            task.cancel()
        self._writer = None

    def _start(self, work) -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        if len(self._tasks) < 2:
            self._tasks.append(asyncio.create_task(self._quietly(work)))
        else:
            work.close()

    async def _quietly(self, work) -> None:
        try:
            await work
        except OSError:
            pass  # `serve` sees the same failure and reports it

    async def _again(self) -> None:
        for number, body, _ in list(self._out):
            await self._send(frames.frame(frames.MESSAGE, number, body))

    async def _send(self, data: bytes) -> None:
        # MicroPython's StreamWriter loses what a second task writes while a first one drains.
        async with self._lock:
            if self._writer is None:
                raise OSError("not connected yet")
            self._writer.write(data)
            await self._writer.drain()
        self._spoke = ticks_ms()

    def _handle(self, kind: int, number: int, body) -> None:
        if not self._welcome.is_set():
            if kind == frames.WELCOME and number == self._session:
                self._heard = ticks_ms()
                self._welcome.set()
            elif kind == frames.REFUSED and number == self._session:
                self._refusal = _text(body)
            return  # the rest is left from an earlier connection
        self._heard = ticks_ms()
        if kind == frames.MESSAGE:
            self._take(number, body)
        elif kind == frames.TAKEN:
            self._retire(number)
        elif kind == frames.REFUSED:
            self._refusal = _text(body)
        elif kind != frames.PONG:
            self.skipped += 1

    def _take(self, number: int, body) -> None:
        self._owed = True
        if number != self._taken % 255 + 1:
            return  # a copy, or one behind a hole: it is sent again
        self._taken = number
        word = 2 + body[1] if len(body) >= 2 else 0
        if not 2 < word <= len(body):
            self.skipped += 1
            return
        try:
            topic = bytes(body[2:word]).decode()
        except ValueError:
            self.skipped += 1
            return
        self._on_message(self._topics + topic, bytes(body[word:]))

    def _retire(self, number: int) -> None:
        """The gateway has everything up to `number`."""
        for i, entry in enumerate(self._out):
            if entry[0] == number:
                done = self._out[: i + 1]
                del self._out[: i + 1]
                self._interval = _RESEND_MS
                self._progress = self._sent_at = ticks_ms()
                for _, _, token in done:
                    self._on_sent(token)
                return


def _text(body) -> str:
    return bytes(c if 32 <= c <= 126 else 63 for c in bytes(body[:80])).decode()
