"""The relay: receive, check, commit, and only then acknowledge.

Order matters, and each step has a named fault point: the durable commit, then the PUBACK to the
broker (which may forget now), then the acknowledgement to the unit (which may forget now).
Whatever dies in between is delivered or sent again, and the store knows it by its key.

There is a connection for each lane, so that a press never waits in the broker's window behind a
backlog, and so that each connection is acknowledged in the order of arrival.
"""

import logging
import threading
import time
from collections.abc import Generator
from functools import partial
from typing import NamedTuple

from host_bridge.clock import SYSTEM, Clock
from host_bridge.contract import topics
from host_bridge.contract.facts import LANES, Lane
from host_bridge.faultpoint import reach
from host_bridge.intake import judge
from host_bridge.relay.acks import Acks
from host_bridge.relay.hand import Hand
from host_bridge.relay.heartbeat import Heartbeat
from host_bridge.relay.inbox import Inbox
from host_bridge.relay.portions import Portions
from host_bridge.settings import Settings
from host_bridge.store import Outcome, Store, StoreUnavailableError, WorkerRow
from host_bridge.transport.mqtt import Connect, Connection, Transport

log = logging.getLogger(__name__)

BATCH = 1_000
"""Messages in one transaction."""

LINGER_S = 0.02
"""How long a batch without a press waits for more: a tap's verdict is due within 200 ms."""

RETRY_S = (0.1, 5.0)
"""First and longest wait before another try to commit; it doubles in between."""

LAST_TRY_S = 5.0
"""How long a relay that was told to stop goes on trying to commit what it has in hand."""

STOP_S = 0.5
"""After how long it is noticed, when no message comes, that a relay was told to stop."""


class Pause(NamedTuple):
    """Nothing is to be done for so long, or, `for_messages`, until one comes in."""

    seconds: float
    for_messages: bool


class Relay:
    """One worker. `run` works until `stop` is called from another thread or a signal.

    `run` only waits; what there is to do, `work` does, which knows no thread. Whoever has another
    clock calls `open`, goes through `work` with pauses of their own, and calls `close`.
    """

    def __init__(  # noqa: PLR0917 (the last three are for tests and other clocks)
        self,
        settings: Settings,
        store: Store,
        name: str = "relay",
        inbox: Inbox | None = None,
        clock: Clock = SYSTEM,
        connect: Connect = Connection,
    ) -> None:
        """Prepare the worker.

        Args:
            settings: which broker.
            store: where facts go.
            name: stable, and of this one process only: the broker keeps its sessions by it, and
                the ledger its line.
            inbox: what keeps messages until their turn.
            clock: what tells the time.
            connect: what makes a connection to the broker.
        """
        self._store = store
        self._clock = clock
        self._name = name
        self._inbox = inbox or Inbox()
        self._acks = Acks()
        self._stop = threading.Event()
        self._in_hand = 0
        self._last_commit_ms: int | None = None
        self._heartbeat = Heartbeat(store, clock)
        self._connections: dict[Lane, Transport] = {
            lane: connect(
                settings.broker,
                f"chequer-{name}-{lane}",
                filters=[topics.facts("+", "+", lane)],
                receive=partial(self._inbox.put, lane),
            )
            for lane in LANES
        }

    def stop(self) -> None:
        """Ask `run` to finish what it has in hand and return."""
        self._stop.set()

    def run(self) -> int:
        """Work until stopped.

        Returns:
            Facts that were in hand and could not be committed before the end. The broker and the
            units still have them.
        """
        self.open()
        try:
            work = self.work()
            while True:
                try:
                    pause = next(work)
                except StopIteration as end:
                    left: int = end.value
                    return left
                self._wait(pause)
        finally:
            self.close()

    def open(self) -> None:
        """Begin to connect to the broker."""
        for connection in self._connections.values():
            connection.start()

    def close(self) -> None:
        """Disconnect, once what waits was sent."""
        for connection in self._connections.values():
            connection.stop()

    def work(self) -> Generator[Pause, None, int]:
        """Everything there is to do until `stop`; each pause is for the caller to make.

        Returns:
            As `run`.
        """
        left = 0
        while not self._stop.is_set() and left == 0:
            left = yield from self._settle((yield from self._gather()))
            self._acknowledge()
            self._renew()
            self._say()
        return left or (yield from self._finish())

    def _wait(self, pause: Pause) -> None:
        if pause.for_messages:
            self._inbox.wait(min(pause.seconds, STOP_S))
        elif self._stop.is_set():
            time.sleep(min(pause.seconds, 0.5))
        else:
            self._stop.wait(pause.seconds)

    def _gather(self) -> Generator[Pause, None, Hand]:
        """A batch: full, or old enough, or with a press in it."""
        hand = Hand(self._name)
        if not self._inbox.depth():
            yield Pause(self._patience(), for_messages=True)
        self._take(hand)
        deadline = self._clock.seconds() + LINGER_S
        while len(hand) and len(hand) < BATCH and not hand.urgent:
            left = deadline - self._clock.seconds()
            if left <= 0:
                break
            yield Pause(left, for_messages=True)
            self._take(hand)
        return hand

    def _take(self, hand: Hand) -> None:
        for received in self._inbox.take(BATCH - len(hand), 0):
            message = received.message
            hand.add(received, judge(message.topic, message.payload, message.received_ms))
        self._in_hand = hand.count

    def _patience(self) -> float:
        """Seconds until something is to be done even if nothing comes in."""
        due = self._heartbeat.due
        if (ack := self._acks.next_due()) is not None:
            due = min(due, ack)
        return max(0.0, due - self._clock.seconds())

    def _settle(self, hand: Hand) -> Generator[Pause, None, int]:
        """Commit and acknowledge to the broker; the number of facts that could not be."""
        if not len(hand):
            return 0
        reach("relay.before-commit")
        outcome = yield from self._commit(hand)
        if outcome is None:
            return hand.count
        reach("relay.after-commit")
        self._in_hand = 0
        self._last_commit_ms = self._clock.unix_ms()
        if outcome.dead_letters:
            log.warning("%d dead letters (chequer dead-letters list)", outcome.dead_letters)
        for received in hand.messages:
            self._connections[received.lane].acknowledge(received.message)
        reach("relay.after-puback")
        now = self._clock.seconds()
        for stream, spans in outcome.acknowledge.items():
            self._acks.add(stream, spans, now)
        return 0

    def _commit(self, hand: Hand) -> Generator[Pause, None, Outcome | None]:
        """Commit, however long it takes; None when the relay is to stop and can't.

        Meanwhile nothing is acknowledged, so the broker soon sends no more, and the units keep
        their facts: that is the back-pressure.
        """
        portions = Portions(hand.batch())
        wait, longest = RETRY_S
        give_up: float | None = None
        while True:
            try:
                return portions.commit(self._store)
            except StoreUnavailableError as error:
                log.error(  # noqa: TRY400 (an operator's sentence, not a stack)
                    "%s %d facts are kept in hand, the rest waits at the broker and the units; "
                    "trying again in %.1f s",
                    error,
                    hand.count,
                    wait,
                )
            if self._stop.is_set():
                give_up = give_up or self._clock.seconds() + LAST_TRY_S
                if self._clock.seconds() >= give_up:
                    return None
            yield Pause(wait, for_messages=False)
            wait = min(wait * 2, longest)

    def _acknowledge(self, *, everything: bool = False) -> None:
        """Publish the acknowledgements that are due.

        One that gets lost is no harm: the unit sends again and is acknowledged again.
        """
        messages = self._acks.take(
            self._clock.seconds(), self._clock.unix_ms(), everything=everything
        )
        if not messages:
            return
        reach("relay.before-ack")
        for message in messages:
            self._connections[message.lane].publish(message.topic, message.payload)
        reach("relay.after-ack")

    def _renew(self) -> None:
        """After an overflow: have the broker deliver again what was not taken in."""
        for lane in self._inbox.overflowed():
            log.warning("the inbox of the %s lane was full; asking the broker again", lane)
            self._connections[lane].renew()

    def _say(self, *, last: bool = False) -> None:
        depth = self._inbox.depth()
        row = WorkerRow(
            worker=self._name,
            in_flight=self._in_hand + depth,
            queue_depth=depth,
            last_commit_ms=self._last_commit_ms,
            reconnects=sum(each.reconnects for each in self._connections.values()),
            updated_ms=self._clock.unix_ms(),
        )
        self._heartbeat.say(row, last=last)

    def _finish(self) -> Generator[Pause, None, int]:
        """Commit and acknowledge what has come in so far."""
        self._inbox.close()
        left = 0
        while left == 0 and self._inbox.depth():
            left = yield from self._settle((yield from self._gather()))
        self._acknowledge(everything=True)
        if left == 0:
            self._say(last=True)
        return left
