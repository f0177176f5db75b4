"""A small, deterministic MQTT 3.1.1 broker in virtual time.

Sessions, retained messages, last wills, QoS 0 and 1, keep-alive. A test holds it against mosquitto:
the same packets in, the same packets out. Not there: QoS 2, passwords, access control.
"""

import functools
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from sim.virtual import packets
from sim.virtual.conductor import Conductor, Planned
from sim.virtual.packets import Body, MalformedError

WINDOW = 1_000
"""Messages in flight to one client."""

_FEW = 1
"""In flight to, and waiting for, each client of a broker that is full."""

_GRACE = 1_500_000  # microseconds for each second of keep-alive: half as long again (3.1.2.10)


REPORTS = ("/fact", "/button")
"""How topics end on which units report facts."""


class Message(NamedTuple):
    """A message on its way."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class Session:
    """What is kept of a client, beyond its connection if it is not a clean one."""

    def __init__(self, broker: "Broker", client: str, clean: bool) -> None:
        self._broker = broker
        self.client = client
        self.clean = clean
        self.filters: dict[str, int] = {}
        self.waiting: deque[Message] = deque()
        self.in_flight: dict[int, Message] = {}
        self.connection: Connection | None = None
        self._number = 0

    def deliver(self, message: Message) -> None:
        """Send, or keep for later what has QoS 1."""
        full = self._broker.full and len(self.waiting) >= _FEW
        if self.connection is None:
            if message.qos and not full:
                self.waiting.append(message)
        elif message.qos == 0:
            self.connection.send(
                packets.publish(message.topic, message.payload, 0, 0, message.retain)
            )
        else:
            if not full:
                self.waiting.append(message)
            self.pump()

    def pump(self) -> None:
        """Send what waits, as far as the window goes."""
        window = _FEW if self._broker.full else WINDOW
        while self.connection and self.waiting and len(self.in_flight) < window:
            message = self.waiting.popleft()
            self._number = self._number % 0xFFFF + 1
            self.in_flight[self._number] = message
            self._send(self._number, message, again=False)

    def resume(self) -> None:
        """On a new connection: what was in flight goes out again, in its order (4.4)."""
        for number, message in self.in_flight.items():
            self._send(number, message, again=True)
        self.pump()

    def acknowledged(self, number: int) -> None:
        """The client has a message."""
        self.in_flight.pop(number, None)
        self.pump()

    def _send(self, number: int, message: Message, *, again: bool) -> None:
        assert self.connection is not None
        topic, payload, _, retain = message
        self.connection.send(packets.publish(topic, payload, 1, number, retain, again))


class Connection:
    """The broker's end of one connection. `send` and `hang_up` act on the other end."""

    def __init__(
        self, broker: "Broker", send: Callable[[bytes], None], hang_up: Callable[[], None]
    ) -> None:
        self.send = send
        self._broker = broker
        self._hang_up = hang_up
        self._parser = packets.Parser()
        self._session: Session | None = None
        self._will: Message | None = None
        self._keepalive_us = 0
        self._heard = 0
        self._quiet = False
        self._check: Planned | None = None
        self.open = True

    def feed(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._broker.stalled:
            self._broker.later(lambda: self.feed(data))
            return
        if not self.open:
            return
        self._heard = self._broker.conductor.now
        try:
            for first, body in self._parser.feed(data):
                self._take(first, Body(body))
                if not self.open:
                    return
        except MalformedError:
            self.end()

    def quiet(self, quiet: bool, heard: int) -> None:
        """The client's keep-alives are left out from now on, or no more: then it was heard last."""
        self._quiet = quiet
        if not quiet:
            self._heard = heard

    def lost(self) -> None:
        """The client has hung up."""
        if self._broker.stalled:
            self._broker.later(self.lost)
            return
        if self.open:
            self._hang_up = _nothing
            self.end()

    def break_off(self) -> None:
        """The broker is no more: nothing is kept, nothing is said."""
        self._session = self._will = None
        self.end(will=False)

    def end(self, *, will: bool = True) -> None:
        """Hang up; the last will is said unless the client has taken leave."""
        self.open = False
        self._broker.connections.pop(self, None)
        if self._check:
            self._check.cancel()
        session = self._session
        if session and session.connection is self:
            session.connection = None
            if session.clean:
                self._broker.forget(session)
        self._hang_up()
        if will and self._will:
            self._broker.publish(self._will)

    def _take(self, first: int, body: Body) -> None:
        kind = first >> 4
        if self._session is None:
            if kind != packets.CONNECT:
                raise MalformedError("something before CONNECT")
            self._connect(body)
        elif kind == packets.PUBLISH:
            self._publish(first, body)
        elif kind == packets.PUBACK:
            self._session.acknowledged(body.number())
        elif kind == packets.SUBSCRIBE:
            self._subscribe(self._session, body)
        elif kind == packets.UNSUBSCRIBE:
            number = body.take(2)
            while body.left:
                self._session.filters.pop(body.text(), None)
            self.send(packets.packet(packets.UNSUBACK << 4, number))
        elif kind == packets.PINGREQ:
            self.send(packets.packet(packets.PINGRESP << 4))
        elif kind == packets.DISCONNECT:
            self.end(will=False)
        else:
            raise MalformedError(f"a packet of kind {kind}")

    def _connect(self, body: Body) -> None:
        if body.text() != "MQTT":
            raise MalformedError("another protocol")
        if body.number(1) != 4:
            self.send(packets.packet(packets.CONNACK << 4, b"\0\1"))
            raise MalformedError("another version")
        flags, keepalive, client = body.number(1), body.number(), body.text()
        clean = bool(flags & 2)
        if flags & 4:
            topic, payload = body.text(), body.binary()
            self._will = Message(topic, payload, flags >> 3 & 3, bool(flags & 0x20))
        self._session, present = self._broker.session(client, clean, self)
        self._keepalive_us = keepalive * _GRACE
        self.send(packets.packet(packets.CONNACK << 4, bytes((present, 0))))
        self._session.resume()
        if keepalive:
            self._look()

    def _look(self) -> None:
        """Is the client still there? Looked at when it may have been silent for too long."""
        now = self._broker.conductor.now
        due = (now if self._quiet else self._heard) + self._keepalive_us
        if now >= due and not self._broker.stalled:
            self.end()
        else:
            self._check = self._broker.conductor.at(max(due, now + 1_000_000), self._look)

    def _publish(self, first: int, body: Body) -> None:
        qos = first >> 1 & 3
        topic = body.text()
        if not topic or set(topic) & {"+", "#"} or qos > 1:
            raise MalformedError("a topic or a quality that can't be")
        number = body.number() if qos else 0
        self._broker.publish(Message(topic, body.rest(), qos, bool(first & 1)))
        if qos and self.open:
            self.send(packets.puback(number))

    def _subscribe(self, session: Session, body: Body) -> None:
        number, granted, wanted = body.take(2), bytearray(), []
        while body.left:
            name, qos = body.text(), min(body.number(1), 1)
            session.filters[name] = qos
            granted.append(qos)
            wanted.append((name, qos))
        self.send(packets.packet(packets.SUBACK << 4, number + bytes(granted)))
        for name, qos in wanted:
            self._broker.show_retained(session, name, qos)


class Broker:
    """Takes connections as long as it runs.

    Attributes:
        running: whether anybody listens.
        stalled: it holds its connections and does nothing.
        full: it says that it has a message, and throws away what nobody takes at once.
        deliver: how a message is handed to a session.
        tap: is told of every message.
    """

    def __init__(self, conductor: Conductor) -> None:
        self.conductor = conductor
        self.running = False
        self.stalled = False
        self.full = False
        self.deliver: Callable[[Session, Message], None] = Session.deliver
        self.connections: dict[Connection, None] = {}
        self.tap: Callable[[Message], None] = _nothing
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, Message] = {}
        self._later: list[Callable[[], None]] = []
        self._stalled_until = 0

    def start(self) -> None:
        """Listen, knowing nothing."""
        self.running = True

    def kill(self) -> None:
        """End at once, with all that it held."""
        self.running = self.stalled = False
        self._later.clear()
        for connection in list(self.connections):
            connection.break_off()
        self._sessions.clear()
        self._retained.clear()

    def accept(self, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> Connection:
        """A new connection; the broker must be running."""
        connection = Connection(self, send, hang_up)
        self.connections[connection] = None
        return connection

    def stall(self, seconds: float) -> None:
        """Do nothing for a while, then what has come in meanwhile."""
        self.stalled = True
        self._stalled_until = max(self._stalled_until, self.conductor.now + round(seconds * 1e6))
        self.conductor.at(self._stalled_until, self._go_on)

    def later(self, work: Callable[[], None]) -> None:
        """Something to be done when the stall is over."""
        self._later.append(work)

    def _go_on(self) -> None:
        if self.stalled and self.conductor.now >= self._stalled_until:
            self.stalled = False
            waiting, self._later = self._later, []
            for work in waiting:
                work()

    def session(self, client: str, clean: bool, connection: Connection) -> tuple[Session, bool]:
        """The session of a client, and whether it was there before; an older connection ends."""
        session = self._sessions.get(client)
        if session and session.connection:
            session.connection.end()
        if clean or client not in self._sessions:
            session = self._sessions[client] = Session(self, client, clean)
            present = False
        else:
            session, present = self._sessions[client], True
            session.clean = clean
        session.connection = connection
        return session, present

    def forget(self, session: Session) -> None:
        """A clean session has ended."""
        if self._sessions.get(session.client) is session:
            del self._sessions[session.client]

    def publish(self, message: Message) -> None:
        """To whom it concerns, once each; kept if it is to be retained (3.3.1.3)."""
        self.tap(message)
        if message.retain:
            if message.payload:
                self._retained[message.topic] = message
            else:
                self._retained.pop(message.topic, None)
        for session in list(self._sessions.values()):
            found = [qos for name, qos in session.filters.items() if matches(name, message.topic)]
            if found:
                qos = min(message.qos, max(found))
                self.deliver(session, message._replace(qos=qos, retain=False))

    def show_retained(self, session: Session, name: str, qos: int) -> None:
        """What a new subscriber is told at once."""
        for topic, message in list(self._retained.items()):
            if matches(name, topic):
                session.deliver(message._replace(qos=min(message.qos, qos), retain=True))


@functools.lru_cache(maxsize=1 << 16)  # the same few topics for every client, all the time
def matches(name: str, topic: str) -> bool:
    """Whether a topic fits a filter (4.7)."""
    levels, parts = name.split("/"), topic.split("/")
    for i, level in enumerate(levels):
        if level == "#":
            return not (i == 0 and topic.startswith("$"))
        if i >= len(parts) or level not in {"+", parts[i]}:
            return False
    return len(levels) == len(parts)


def _nothing(*_: object) -> None:
    """Nobody is there, or nobody asks."""
