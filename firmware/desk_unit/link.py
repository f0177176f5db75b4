"""The link to the host: network, connection, back-off, and what is sent in which order.

The button's lane always goes first, then ordinary facts that happened just now, then the unit's
state, then what has gathered on the ordinary lane, which leaves places of the window free for
the others, and last what is said about updates. A fact leaves its journal only when the host says
that it is committed (docs/protocol.md, "Acknowledgement, end to end").
"""

import asyncio

from port import const, sleep_ms

from . import down
from .backoff import Backoff
from .crash import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .updates import Updates

UNPROTECTED_MS = const(90_000)
"""After so long without anyone who could hear a press, the unit says so."""

STATE_MS = const(30_000)
"""The unit's state is published at least this often."""

_TICK_MS = const(500)
_GOOD_MS = const(10_000)
_FAULT_MS = const(60_000)
_OPEN_S = const(8)
_GREET_S = const(10)
_RESERVED = const(2)
_MOST_ACKS = const(16)


class Link:
    """Connects, drains the lanes, hears the host; never gives up.

    Args:
        config: The unit's `Config`.
        lanes: (button lane, ordinary lane).
        wire: What it connects over (see `wires.py`).
        uptime: The unit's `Uptime`.
        random: Function that returns 16 random bits, for the back-off.
        listener: Told what comes in: `state()` returns the state's JSON bytes, `heard(time)`,
            `sent(lane name, boot, seq)`, `stored(lane name, boot, seq)`,
            `verdict(boot, seq, word)`, `guidance(word)`, `restart(boot)`, and `told(topic's end,
            payload)` for everything else, which returns whether it was understood. Its
            `offered()` loads what takes an update (see `updates.py`).
        log: Function that takes one line of text.
        beat: Called whenever the link makes progress.
    """

    def __init__(
        self, config, lanes, *, wire, uptime, random, listener, log, beat=lambda: None
    ) -> None:
        self._topic = "chequer/v1/%s/%s/" % (config.site, config.unit)
        self._wire = wire
        self._lanes = lanes
        self._uptime = uptime
        self._backoff = Backoff(random)
        self._listener = listener
        self._log = log
        self._beat = beat
        self._wake = asyncio.Event()
        self._acks_came = asyncio.Event()
        self._acks: list[tuple] = []
        self._failed = asyncio.Event()
        self._error: object = None
        self._lost_at = self._found_at = uptime.now()
        self._state_at: "int | None" = None
        self.connected = False
        """Whether the unit is subscribed and may publish."""
        self.rejected = 0
        """Messages from the host that could not be understood."""
        self.updates: "Updates | None" = None
        """What takes an update, while there is one."""
        self._last: list[tuple] = []
        for lane in lanes:
            lane.on_append = self._wake.set

    @property
    def unprotected(self) -> bool:
        """True when nobody has been able to hear a press for 90 s: no broker, or no host."""
        if not self.connected and self._uptime.now() - self._lost_at >= UNPROTECTED_MS:
            return True
        return self._lanes[0].stuck_ms >= UNPROTECTED_MS

    @property
    def fault(self) -> str:
        """Why there is no connection, or why there was none until a minute ago; else empty."""
        if self._error is None:
            return ""
        if not self.connected:
            return "not connected: %s" % said(self._error)
        if self._uptime.now() - self._found_at < _FAULT_MS:
            return "connected again after: %s" % said(self._error)
        return ""

    def touch(self) -> None:
        """The unit's state has changed: publish it soon."""
        self._state_at = None
        self._wake.set()

    def say(self, word: str, payload: bytes, retain: bool = False) -> None:
        """Send this when the lanes have nothing to send; it is kept in memory only."""
        self._last.append((word, payload, retain))
        self._wake.set()

    def open_updates(self, follow: bool = False) -> None:
        """Load what takes updates; with `follow` it tells how the last one has turned out."""
        try:
            self.updates = self._listener.offered()
            if follow:
                self.updates.follow()
        except Exception as error:  # no memory, or no such file: the unit goes on
            self._log("link: no update can be taken now: %s" % said(error))

    async def run(self) -> None:
        """Keep a connection up; never returns."""
        while True:
            self._beat()
            try:
                await self._wire.network.up()
                await self._session()
            except asyncio.TimeoutError:
                self._error = "no answer in time"
            except Exception as error:  # whatever it is, the next attempt begins anew
                self._error = error
            await self._pause()

    async def _pause(self) -> None:
        delay = self._backoff.next()
        self._log(
            "link: not connected to %s: %s; facts are kept, next attempt in %d ms"
            % (self._wire.peer, said(self._error), delay)
        )
        await sleep_ms(delay)

    async def _session(self) -> None:
        """One connection, from opening it to its failure, which is raised."""
        connection = self._wire.connection(self._topic, on_message=self._hear, on_sent=self._sent)
        self._failed.clear()
        tasks = []
        try:
            await asyncio.wait_for(connection.open(), _OPEN_S)
            works = [connection.serve(), connection.supervise(), self._talk(connection)]
            for work in works + [self._tick(), self._apply_acks()]:
                tasks.append(asyncio.create_task(self._guard(work)))
            await self._failed.wait()
        finally:
            if self.connected:
                self.connected = False
                self._lost_at = self._uptime.now() - connection.quiet_ms
                if self._lost_at - self._found_at >= _GOOD_MS:
                    self._backoff.reset()
            for task in tasks:
                await _end(task)
            await connection.close()
        raise OSError(said(self._error))

    async def _guard(self, work) -> None:
        """Run one task of the session; its failure, whatever it is, ends the session."""
        try:
            await work
        except Exception as error:
            self._error = error
            self._failed.set()

    async def _talk(self, connection) -> None:
        await asyncio.wait_for(connection.greet(self._topic + "down/+"), _GREET_S)
        for lane in self._lanes:
            lane.rewind()
        self._state_at = None
        self._found_at = self._uptime.now()
        self.connected = True
        while True:
            self._wake.clear()
            if not await self._send_one(connection):
                await self._wake.wait()

    async def _send_one(self, connection) -> bool:
        """Send what comes first now; False when there is nothing that may be sent."""
        button, ordinary = self._lanes
        if not connection.room:
            return False
        if await self._send(connection, button, button.live() or button.message()):
            return True
        if await self._send(connection, ordinary, ordinary.live()):
            return True
        if self._state_at is None or self._uptime.now() - self._state_at >= STATE_MS:
            self._state_at = self._uptime.now()
            state = self._listener.state()
            await connection.publish(self._topic + "state", state, None, retain=True)
            return True
        if connection.room <= _RESERVED:
            return False
        sent = await self._send(connection, ordinary, ordinary.message())
        return sent or await self._send_last(connection)

    async def _send_last(self, connection) -> bool:
        if not self._last:
            return False
        word, payload, retain = self._last[0]
        await connection.publish(self._topic + word, payload, None, retain=retain)
        self._last.pop(0)
        return True

    async def _send(self, connection, lane, message) -> bool:
        if message is None:
            return False
        payload, boot, seq = message
        await connection.publish(self._topic + lane.word, payload, (lane.name, boot, seq))
        return True

    async def _tick(self) -> None:
        while True:
            await sleep_ms(_TICK_MS)
            self._beat()
            if not self._wire.network.is_up():
                raise OSError("the network is gone")
            for lane in self._lanes:
                lane.tick()
            self._wake.set()

    def _sent(self, token) -> None:
        if token:
            self._listener.sent(*token)
        self._wake.set()

    def _hear(self, topic: str, payload: bytes) -> None:
        word = topic[len(self._topic) :]
        if word == "down/ack":
            understood = self._hear_ack(down.ack(payload))
        elif word == "down/verdict":
            understood = self._hear_verdict(down.verdict(payload))
        elif word == "down/restart":
            understood = _tell(self._listener.restart, down.restart(payload))
        elif word == "down/guidance":
            understood = _tell(self._listener.guidance, down.guidance(payload))
        elif word in ("down/update", "down/piece"):
            understood = self._hear_update(word, payload)
        else:
            understood = self._listener.told(word, payload)
        if not understood:
            self.rejected += 1

    def _hear_ack(self, ack) -> bool:
        if ack is None:
            return False
        self._listener.heard(ack[3])
        # One too many is dropped: the facts are sent again, and acknowledged again.
        if len(self._acks) < _MOST_ACKS:
            self._acks.append(ack)
        self._acks_came.set()
        return True

    def _hear_verdict(self, verdict) -> bool:
        if verdict is None:
            return False
        self._listener.heard(verdict[3])
        self._listener.verdict(*verdict[:3])
        return True

    def _hear_update(self, word: str, payload: bytes) -> bool:
        if self.updates is None and word == "down/update":
            self.open_updates()
        return self.updates is not None and self.updates.hear(word, payload)

    async def _apply_acks(self) -> None:
        while True:
            while self._acks:
                boot, name, spans, _ = self._acks.pop(0)
                for lane in self._lanes:
                    if lane.name == name:
                        await self._apply(lane, boot, spans)
            self._acks_came.clear()
            await self._acks_came.wait()

    async def _apply(self, lane, boot: int, spans) -> None:
        for seq in lane.acknowledge(boot, spans):
            if seq:
                self._listener.stored(lane.name, boot, seq)
                self._wake.set()
            await sleep_ms(0)


def _tell(listen, what) -> bool:
    if what is not None:
        listen(what)
    return what is not None


async def _end(task) -> None:
    # Not awaited itself: that would swallow a cancellation which is meant for the caller. Asked
    # again, because `wait_for` forgets one that comes in the moment in which its task is done.
    while not task.done():
        task.cancel()
        await sleep_ms(1)
