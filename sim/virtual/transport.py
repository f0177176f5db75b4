"""The host's connection to the broker in virtual time: stands in for `transport.mqtt.Connection`.

Speaks MQTT to the virtual broker, comes back by itself with the same back-off as the real one.
"""

from collections.abc import Callable, Sequence

from host_bridge.settings import Broker as Address
from host_bridge.transport.mqtt import BACK_OFF_S, KEEPALIVE_S, Message
from sim.virtual import packets
from sim.virtual.broker import Broker
from sim.virtual.broker import Connection as End
from sim.virtual.conductor import Conductor, Planned
from sim.virtual.packets import Body

LATENCY_US = 200
"""One way between two processes of one machine."""

_FIRST_US, _LONGEST_US = (seconds * 1_000_000 for seconds in BACK_OFF_S)
_KEEPALIVE_US = KEEPALIVE_S * 1_000_000


class Process:
    """Whether a process runs or is stopped: what reaches it meanwhile waits for it.

    `unix_ms` is the clock that it looks at.
    """

    def __init__(self, unix_ms: Callable[[], int]) -> None:
        self.unix_ms = unix_ms
        self.stopped = False
        self._waiting: list[Callable[[], None]] = []

    def when_it_runs(self, work: Callable[[], None]) -> None:
        """Do this now, or once it goes on."""
        if self.stopped:
            self._waiting.append(work)
        else:
            work()

    def go_on(self) -> None:
        """It runs again."""
        self.stopped = False
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()


class HostConnection:
    """As `host_bridge.transport.mqtt.Connection`.

    Args:
        conductor: whose time it is.
        broker: with whom it speaks.
        awake: called after every message that was handed over.
        process: whose connection it is.
        client_id, filters, receive, clean, manual: see there.
    """

    def __init__(
        self,
        conductor: Conductor,
        broker: Broker,
        awake: Callable[[], None],
        process: Process,
        client_id: str,
        *,
        filters: Sequence[str] = (),
        receive: Callable[[Message], None] | None = None,
        clean: bool = False,
        manual: bool = True,
    ) -> None:
        self.connected = False
        self._conductor = conductor
        self._broker = broker
        self._awake = awake
        self._process = process
        self._client_id = client_id
        self._filters = list(filters)
        self._receive = receive
        self._clean = clean
        self._manual = manual
        self._session = 0
        self._line: _Line | None = None
        self._retry: Planned | None = None
        self._delay = _FIRST_US
        self._unanswered: dict[int, tuple[str, bytes, bool]] = {}
        self._number = 0
        self._running = False

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""
        return max(0, self._session - 1)

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._running = True
        self._call()

    def stop(self) -> None:
        """Take leave."""
        self._running = False
        if self._line:
            self._line.send(packets.packet(packets.DISCONNECT << 4))
        self.die()

    def die(self) -> None:
        """The process is gone: the system closes its connections."""
        self._running = self.connected = False
        if self._retry:
            self._retry.cancel()
        line, self._line = self._line, None
        if line:
            line.hang_up()

    def renew(self) -> None:
        """Connect anew, so that the broker delivers again what was not acknowledged."""
        self.stop()
        self.start()

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that it may forget the message."""
        if message.qos and message.session == self._session and self.connected and self._line:
            self._line.send(packets.puback(message.mid))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send with QoS 1; False when there is no connection."""
        if not self.connected or self._line is None:
            return False
        self._number = self._number % 0xFFFF + 1
        self._unanswered[self._number] = (topic, payload, retain)
        self._line.send(packets.publish(topic, payload, 1, self._number, retain))
        return True

    def _call(self) -> None:
        self._retry = None
        self._line = line = _Line(self._conductor, self._process, self._hear, self._lost)
        line.call(self._broker)
        line.send(packets.connect(self._client_id, KEEPALIVE_S, clean=self._clean))

    def _lost(self) -> None:
        self.connected = False
        self._line = None
        if self._running:
            self._retry = self._conductor.after(self._delay, self._call_again)
            self._delay = min(2 * self._delay, _LONGEST_US)
        self._awake()

    def _call_again(self) -> None:
        self._process.when_it_runs(lambda: self._call() if self._running else None)

    def _hear(self, first: int, body: Body) -> None:
        kind = first >> 4
        assert self._line is not None
        if kind == packets.CONNACK:
            self._session += 1
            self._delay = _FIRST_US
            if self._filters:
                self._line.send(packets.subscribe(1, self._filters))
            for number, (topic, payload, retain) in self._unanswered.items():
                self._line.send(packets.publish(topic, payload, 1, number, retain, again=True))
            self.connected = True
            self._awake()
        elif kind == packets.PUBACK:
            self._unanswered.pop(body.number(), None)
        elif kind == packets.PUBLISH:
            self._take(first, body)

    def _take(self, first: int, body: Body) -> None:
        topic, qos = body.text(), first >> 1 & 3
        number = body.number() if qos else 0
        message = Message(
            topic,
            body.rest(),
            self._process.unix_ms(),
            number,
            qos,
            self._session,
            bool(first & 1),
        )
        if self._receive:
            self._receive(message)
        if qos and not self._manual and self._line:
            self._line.send(packets.puback(number))
        self._awake()


class _Line:
    """One TCP connection of the host's, with the keep-alive on it."""

    def __init__(
        self,
        conductor: Conductor,
        process: Process,
        hear: Callable[[int, Body], None],
        lost: Callable[[], None],
    ) -> None:
        self._conductor = conductor
        self._process = process
        self._hear = hear
        self._lost = lost
        self._parser = packets.Parser()
        self._end: End | None = None
        self._open = True
        self._spoke = self._heard = conductor.now
        self._pinged = 0

    def call(self, broker: Broker) -> None:
        """Connect."""
        self._conductor.after(LATENCY_US, lambda: self._arrive(broker))
        self._conductor.after(_KEEPALIVE_US, self._look_when_it_runs)

    def send(self, data: bytes) -> None:
        """Bytes for the broker."""
        self._spoke = self._conductor.now
        self._conductor.after(LATENCY_US, lambda: self._end.feed(data) if self._end else None)

    def hang_up(self) -> None:
        """Close, after what was sent."""
        self._open = False
        self._conductor.after(LATENCY_US, lambda: self._end.lost() if self._end else None)

    def _arrive(self, broker: Broker) -> None:
        if broker.running:
            self._end = broker.accept(self._answer, self._closed)
        else:
            self._closed()

    def _answer(self, data: bytes) -> None:
        self._conductor.after(
            LATENCY_US, lambda: self._process.when_it_runs(lambda: self._take(data))
        )

    def _take(self, data: bytes) -> None:
        self._heard = self._conductor.now
        self._pinged = 0
        for first, body in self._parser.feed(data):
            if self._open:
                self._hear(first, Body(body))

    def _closed(self) -> None:
        self._end = None
        self._conductor.after(LATENCY_US, lambda: self._process.when_it_runs(self._is_gone))

    def _is_gone(self) -> None:
        if self._open:
            self._open = False
            self._lost()

    def _look_when_it_runs(self) -> None:
        self._process.when_it_runs(self._look)

    def _look(self) -> None:
        """Ping when it was quiet for the keep-alive's time; no answer in as long is the end."""
        if not self._open:
            return
        now = self._conductor.now
        if self._pinged and now - self._pinged >= _KEEPALIVE_US:
            self.hang_up()
            self._lost()
            return
        quiet_since = min(self._spoke, self._heard)
        if not self._pinged and now - quiet_since >= _KEEPALIVE_US:
            self._pinged = now
            self.send(packets.packet(packets.PINGREQ << 4))
            quiet_since = now
        due = self._pinged or quiet_since
        self._conductor.at(max(due + _KEEPALIVE_US, now + 1_000_000), self._look_when_it_runs)


class Connector:
    """In place of `Connection` for `Relay` and `Director`; `made` lists what it has made.

    `process` is whose connections they are, `unix_ms` the host's clock.
    """

    def __init__(
        self,
        conductor: Conductor,
        broker: Broker,
        awake: Callable[[], None],
        unix_ms: Callable[[], int],
    ) -> None:
        self.made: list[HostConnection] = []
        self.process = Process(unix_ms)
        self._conductor = conductor
        self._broker = broker
        self._awake = awake

    def __call__(
        self,
        broker: Address,  # noqa: ARG002 (there is only one here)
        client_id: str,
        *,
        filters: Sequence[str] = (),
        receive: Callable[[Message], None] | None = None,
        clean: bool = False,
        manual: bool = True,
    ) -> HostConnection:
        """One connection."""
        made = HostConnection(
            self._conductor,
            self._broker,
            self._awake,
            self.process,
            client_id,
            filters=filters,
            receive=receive,
            clean=clean,
            manual=manual,
        )
        self.made.append(made)
        return made
