"""The serial gateway: relays frames of a desk unit on a serial line to its MQTT topics and back.

It stores nothing. A unit's message is taken only when the broker has it, and a message for the
unit is acknowledged to the broker only when the unit has it. Facts leave the unit's flash by the
host's `down/ack` alone, as over Wi-Fi.
"""

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import serial

from host_bridge.contract.facts import MAX_MESSAGE, Name
from host_bridge.contract.topics import UP_WORDS
from host_bridge.settings import Broker
from host_bridge.transport.serial_frames import Carried, Deframer, Frame, Kind, encode, pack, unpack
from host_bridge.transport.serial_upstream import Arrived, Down, Event, Published, Up, Upstream

log = logging.getLogger(__name__)

WINDOW = 8
RESEND_S = 1.0
UNIT_SILENT_S = 15.0
"""A unit that says nothing for so long is gone; it pings every three seconds of quiet."""
REOPEN_S = 1.0
READ_S = 0.2


class Port(Protocol):
    """What the gateway asks of a serial port; `serial.Serial` offers it."""

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes; returns none after the port's time-out, or `cancel_read`."""

    def write(self, data: bytes, /) -> int | None:
        """Send."""

    def cancel_read(self) -> None:
        """End a waiting `read` on another thread."""

    def close(self) -> None:
        """Give the port back."""


def open_serial(device: str, baud: int) -> Port:
    """Open a serial port of this machine, for us alone.

    Raises:
        OSError: there is none of this name, or it is in use.
    """
    return serial.Serial(device, baud, timeout=READ_S, exclusive=True)


class Hello(msgspec.Struct, frozen=True):
    """Who a unit says it is."""

    site: Name
    unit: Name


class SerialGateway:
    """One port, one unit. `run` keeps going through unplugging and lost brokers.

    `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        open_port: Callable[[], Port],
        broker: Broker,
        site: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            open_port: opens the serial port, with a read time-out of `READ_S`; raises OSError
                (`serial.SerialException` is one) when there is none.
            broker: where the unit's messages go.
            site: units of another site are refused.
            clock: monotonic seconds.
        """
        self._open_port = open_port
        self._broker = broker
        self._site = site
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Relay until `stop` is set."""
        trouble = ""
        while not stop.is_set():
            try:
                port = self._open_port()
            except OSError as error:
                # Once: nobody may plug it in for days.
                if str(error) != trouble:
                    log.warning("the serial port can't be opened (%s); trying again", error)
                trouble = str(error)
                stop.wait(REOPEN_S)
                continue
            trouble = ""
            line = _Line(port, self._broker, self._site, self._clock)
            try:
                while not stop.is_set():
                    line.step()
            except OSError as error:
                log.warning("the serial port is gone (%s); the unit keeps its facts", error)
                stop.wait(REOPEN_S)
            finally:
                line.end()
                with contextlib.suppress(OSError):
                    port.close()


def run_ports(
    devices: Sequence[str], baud: int, broker: Broker, site: str, stop: threading.Event
) -> None:
    """Relay for several serial ports, each on a thread of its own, until `stop` is set.

    What goes wrong at one of them, a defect too, ends nothing at the others.
    """

    def one(device: str) -> None:
        while not stop.is_set():
            try:
                SerialGateway(lambda: open_serial(device, baud), broker, site).run(stop)
            except Exception:
                log.exception("a defect at %s; the unit keeps its facts, it begins again", device)
                stop.wait(REOPEN_S)

    threads = [threading.Thread(target=one, args=(device,), name=device) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class _Line:
    """What is known about a port that is open."""

    def __init__(self, port: Port, broker: Broker, site: str, clock: Callable[[], float]) -> None:
        self._port = port
        self._broker = broker
        self._site = site
        self._clock = clock
        self._deframer = Deframer()
        self._upstream: Upstream | None = None
        self._hello: Hello | None = None
        self._session = 0
        self._welcomed = False
        self._heard = clock()
        self._forget()

    def _forget(self) -> None:
        """A new conversation: numbers begin anew."""
        self._came = 0
        self._taken = 0
        self._relayed: deque[tuple[int, int]] = deque()
        self._number = 0
        self._out: deque[tuple[int, Arrived]] = deque()
        self._later: deque[Arrived] = deque()
        self._sent_at = self._clock()

    def step(self) -> None:
        """Handle what has come from either side; waits up to `READ_S` for it."""
        for frame in self._deframer.feed(self._port.read(self._port.in_waiting or 1)):
            self._frame(frame)
        upstream = self._upstream
        while upstream is not None and upstream is self._upstream:
            try:
                event = upstream.events.get_nowait()
            except queue.Empty:
                break
            self._event(event)
        self._tick()

    def end(self) -> None:
        """Leave the broker."""
        if self._upstream is not None:
            self._upstream.stop()
            self._upstream = None
        self._hello = None
        self._welcomed = False
        self._forget()

    def _write(self, kind: Kind, number: int, body: bytes = b"") -> None:
        self._port.write(encode(kind, number, body))

    def _frame(self, frame: Frame) -> None:
        self._heard = self._clock()
        if frame.kind == Kind.HELLO:
            self._greet(frame)
        elif not self._welcomed:
            return
        elif frame.kind == Kind.PING:
            self._write(Kind.PONG, 0)
        elif frame.kind == Kind.TAKEN:
            self._retire(frame.number)
        elif frame.kind == Kind.MESSAGE:
            self._relay(frame)

    def _greet(self, frame: Frame) -> None:
        try:
            hello = msgspec.json.decode(frame.body, type=Hello)
        except msgspec.DecodeError as error:
            self._write(Kind.REFUSED, frame.number, f"not a hello: {error}".encode())
            return
        if hello.site != self._site:
            reason = f"this gateway serves the site {self._site}"
            self._write(Kind.REFUSED, frame.number, reason.encode())
            return
        if hello == self._hello and frame.number == self._session:
            if self._welcomed:
                self._write(Kind.WELCOME, self._session)
            return  # the same unit asks again; the broker has not answered yet
        self.end()
        self._hello, self._session = hello, frame.number
        self._upstream = Upstream(self._broker, hello.site, hello.unit, self._port.cancel_read)
        self._upstream.start()

    def _relay(self, frame: Frame) -> None:
        if frame.number != self._came % 255 + 1:
            self._write(Kind.TAKEN, self._taken)  # a copy, or one behind a hole
            return
        carried = unpack(frame.body)
        usable = carried is not None and carried.word in UP_WORDS
        if carried is None or not usable or len(carried.payload) > MAX_MESSAGE:
            log.warning("the unit sent a message that nobody can use; it is left out")
            mid: int | None = 0
        else:
            assert self._upstream is not None
            mid = self._upstream.publish(carried.word, carried.payload, retain=carried.retain)
        if mid is None:
            return  # no connection: `Down` follows, and the unit sends it again
        self._came = frame.number
        self._relayed.append((frame.number, mid))
        if mid == 0:
            self._published(0)

    def _published(self, mid: int) -> None:
        self._relayed = deque(
            (number, 0 if waits == mid else waits) for number, waits in self._relayed
        )
        before = self._taken
        while self._relayed and self._relayed[0][1] == 0:
            self._taken = self._relayed.popleft()[0]
        if self._taken != before:
            self._write(Kind.TAKEN, self._taken)

    def _event(self, event: Event) -> None:
        if isinstance(event, Up):
            self._welcomed = True
            self._write(Kind.WELCOME, self._session)
        elif isinstance(event, Down):
            log.warning("%s; the unit keeps its facts", event.reason)
            session = self._session
            self.end()
            self._write(Kind.REFUSED, session, event.reason.encode()[:80])
        elif isinstance(event, Published):
            self._published(event.mid)
        else:
            self._later.append(event)

    def _retire(self, number: int) -> None:
        """The unit has everything up to `number`."""
        if number not in [sent for sent, _ in self._out]:
            return
        while self._out:
            sent, message = self._out.popleft()
            assert self._upstream is not None
            self._upstream.acknowledge(message.mid)
            self._sent_at = self._clock()
            if sent == number:
                break

    def _tick(self) -> None:
        now = self._clock()
        while self._later and len(self._out) < WINDOW:
            self._number = self._number % 255 + 1
            if not self._out:
                self._sent_at = now
            self._out.append((self._number, self._later.popleft()))
            self._say(*self._out[-1])
        if self._out and now - self._sent_at > RESEND_S:
            self._sent_at = now
            for number, message in self._out:
                self._say(number, message)
        if self._upstream is not None and now - self._heard > UNIT_SILENT_S:
            log.warning("the unit has said nothing for %d s", UNIT_SILENT_S)
            self.end()

    def _say(self, number: int, message: Arrived) -> None:
        self._write(Kind.MESSAGE, number, pack(Carried(message.word, message.payload)))
