"""A connection to a broker of MQTT 5 for much traffic: an event loop on a thread of its own.

The same face as `Connection` (paho), which is for little traffic and for MQTT 3.1.1.
"""

import asyncio
import contextlib
import logging
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence

import uvloop

from host_bridge.settings import Broker
from host_bridge.transport.mqtt import Message
from host_bridge.transport.wire import OldBrokerError, Wire

log = logging.getLogger(__name__)

BACK_OFF_S = (0.2, 30.0)
"""First and longest wait before another try to connect; it doubles in between."""
GOOD_S = 10.0
"""A connection that lasted so long was a good one: the next wait is the first one again."""
ANSWER_S = 10.0
"""How long the broker may take to answer."""
STOP_S = 10.0


class Receiver:
    """One connection to the broker (MQTT 5), with a session that outlives it.

    `receive` is called on the connection's own thread: it must neither block nor raise.

    Messages of QoS 1 stay with the broker until `acknowledge`, which must happen in the order of
    arrival (MQTT 5, section 4.6). The broker sends no more than `wire.WINDOW` messages ahead of
    that, and above `wire.MOST_BYTES` nothing is read.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        *,
        filters: Sequence[str] = (),
        receive: Callable[[Message], None] | None = None,
        clean: bool = False,
        manual: bool = True,
        old: Callable[[], None] | None = None,
    ) -> None:
        """Prepare; `start` connects.

        Args:
            broker: where it is.
            client_id: stable, and of this one process only.
            filters: what to subscribe to, QoS 1.
            receive: what to do with a message.
            clean: let the broker forget the session when the connection ends.
            manual: the owner acknowledges; otherwise it is done when `receive` returns.
            old: called once, on the connection's thread, when the broker speaks MQTT 3.1.1 only;
                the thread ends then. Without it, it goes on trying.
        """
        self._broker = broker
        self._where = f"{broker.host}:{broker.port}"
        self._client_id = client_id
        self._filters = list(filters)
        self._receive = receive or _ignore
        self._manual = manual
        self._clean = clean
        self._old = old
        self._session = 0
        self._wire: Wire | None = None
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._wait_s = BACK_OFF_S[0]
        self._snubs = 0

    @property
    def connected(self) -> bool:
        """Is there a connection now?"""
        return self._up.is_set()

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""
        return max(0, self._session - 1)

    def start(self) -> None:
        """Connect in the background, and again whenever the connection is lost."""
        begun = threading.Event()
        self._thread = threading.Thread(
            target=lambda: uvloop.run(self._run(begun)), name=self._client_id, daemon=True
        )
        self._thread.start()
        begun.wait()

    def wait(self, seconds: float) -> bool:
        """Wait until there is a connection; False when there is none after that time."""
        return self._up.wait(seconds)

    def stop(self) -> None:
        """Send what waits, then disconnect. Safe to call twice."""
        if self._thread is None or self._stopping is None:
            return
        self._call(self._stopping.set)
        self._thread.join(STOP_S)
        self._thread = None

    def renew(self) -> None:
        """Connect anew, so that the broker delivers again what was not acknowledged."""
        self._call(self._hang_up)

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that it may forget the message.

        Does nothing for a delivery over an earlier connection: the broker will deliver it again,
        and its number may meanwhile belong to another message.
        """
        wire = self._wire
        if message.qos and wire is not None and wire.session == message.session:
            wire.acknowledge(message)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send with QoS 1; False when there is no connection or too much is waiting already."""
        wire = self._wire
        if wire is None or not self.connected:
            return False
        return wire.publish(topic, payload, retain=retain)

    def _receive_and_acknowledge(self, message: Message) -> None:
        self._receive(message)
        self.acknowledge(message)

    def _call(self, what: Callable[[], None]) -> None:
        # The loop may have ended by itself: then there is nothing left to do.
        with contextlib.suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(what)

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()

    async def _run(self, begun: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        begun.set()
        stopped = asyncio.create_task(self._stopping.wait())
        while not stopped.done():
            one = asyncio.create_task(self._connect())
            await asyncio.wait((one, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not one.done():
                if self._wire is None:
                    one.cancel()
                self._hang_up()
                await asyncio.wait((one,))
            elif one.result():
                return
        self._up.clear()

    async def _connect(self) -> bool:
        """One connection from its beginning to its end; True if there is no use in another."""
        began = time.monotonic()
        try:
            await self._talk()
        except OldBrokerError:
            if self._old is not None:
                self._old()
                return True
            log.error(  # noqa: TRY400 (an operator's sentence, not a stack)
                "the broker at %s speaks MQTT 3.1.1 only; set [broker] version = "
                '"auto" or "3.1.1"; trying again',
                self._where,
            )
        except TimeoutError:
            log.warning("the broker at %s does not answer; trying again", self._where)
        except ssl.SSLError as error:
            log.error(  # noqa: TRY400
                "no TLS with the broker at %s: %s; trying again", self._where, error
            )
        except OSError as error:
            if self.connected:
                log.warning("the connection to the broker was lost (%s); trying again", error)
            else:
                log.warning("no broker answers at %s; trying again", self._where)
        except Exception as error:  # noqa: BLE001 (a refusal, no MQTT at all: said, tried again)
            log.error("%s; trying again", error)  # noqa: TRY400
        else:
            return False  # our own wish
        finally:
            self._up.clear()
            self._wire = None
        if time.monotonic() - began > GOOD_S:
            self._wait_s = BACK_OFF_S[0]
        await asyncio.sleep(self._wait_s * random.uniform(0.5, 1))  # noqa: S311 (spreads workers)
        self._wait_s = min(self._wait_s * 2, BACK_OFF_S[1])
        return False

    async def _talk(self) -> None:
        wire = Wire(
            self._broker,
            self._client_id,
            self._filters,
            self._receive if self._manual else self._receive_and_acknowledge,
            self._session + 1,
            clean=self._clean,
        )
        loop = asyncio.get_running_loop()
        broker = self._broker
        tls = ssl.create_default_context(cafile=broker.ca) if broker.tls else None
        async with asyncio.timeout(ANSWER_S):
            await loop.create_connection(lambda: wire, broker.host, broker.port, ssl=tls)
        self._wire = wire
        try:
            async with asyncio.timeout(ANSWER_S):
                await asyncio.wait((wire.ready, wire.ended), return_when=asyncio.FIRST_COMPLETED)
            if wire.ready.done():
                self._session = wire.session
                self._up.set()
                log.info("connected to the broker at %s", self._where)
            await wire.ended
        except ConnectionError:
            self._snubs = 0 if wire.heard else self._snubs + 1
            # Once may be a broker that was just being killed.
            if self._snubs > 1 and await loop.run_in_executor(None, speaks_311, broker):
                raise OldBrokerError from None
            raise
        finally:
            await wire.leave()


def speaks_311(broker: Broker) -> bool:
    """Does it answer a greeting in MQTT 3.1.1? Some only hang up at a greeting in MQTT 5."""
    greeting = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x1e\x00\x00"  # clean, no name
    try:
        with socket.create_connection((broker.host, broker.port), ANSWER_S) as probe:
            probe.settimeout(ANSWER_S)
            probe.sendall(greeting)
            return probe.recv(1) == b"\x20"
    except OSError:
        return False


def _ignore(_message: Message) -> None:
    pass
