"""The relay: receive, check, commit, and only then acknowledge.

Order matters, and each step has a named fault point: the durable commit, then the PUBACK to the
broker (which may forget now), then the acknowledgement to the unit (which may forget now).
Whatever dies in between is delivered or sent again, and the store knows it by its key.

There is a connection for each lane, so that a press never waits in the broker's window behind a
backlog, and so that each connection is acknowledged in the order of arrival.
"""

import logging
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from host_bridge.clock import SYSTEM, Clock
from host_bridge.contract import topics
from host_bridge.contract.facts import LANES, Lane
from host_bridge.faultpoint import reach
from host_bridge.intake import judge
from host_bridge.relay import pace
from host_bridge.relay.acks import Acks
from host_bridge.relay.commit import Commit, Run, at_once
from host_bridge.relay.hand import BATCH, Hand
from host_bridge.relay.heartbeat import REST_S, Heartbeat
from host_bridge.relay.inbox import Inbox, Received
from host_bridge.relay.letters import Letters
from host_bridge.relay.throttle import Throttle
from host_bridge.settings import Settings
from host_bridge.store import Outcome, Store, WorkerRow
from host_bridge.transport.mqtt import Connect, Transport
from host_bridge.transport.versions import connect as connect_newest

log = logging.getLogger(__name__)

SIP = 100
"""Messages that are looked into before it is asked again whether the batch is full."""

LINGER_S = 0.01
"""How long a batch without a press waits for more: a tap's verdict is due within 200 ms."""

LAST_TRY_S = 5.0
"""How long a relay that was told to stop goes on trying to commit what it has in hand."""


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
        connect: Connect = connect_newest,
        *,
        share: str | None = None,
    ) -> None:
        """Prepare the worker.

        Args:
            settings: which broker.
            store: where facts go.
            name: stable and this process's alone: broker and ledger know it by that.
            inbox: what keeps messages until their turn.
            clock: what tells the time.
            connect: what makes a connection to the broker.
            share: the group of relays that share the messages; without it, this one gets all.
        """
        self._store = store
        self._clock = clock
        self._name = name
        self._inbox = inbox or Inbox()
        self._throttle = Throttle()
        self._acks = Acks()
        self._letters = Letters()
        self._stop = threading.Event()
        self._run: Run = at_once
        self._hand = Hand(name)
        self._gathered_by = 0.0
        self._commit: Commit | None = None
        self._last_commit_ms: int | None = None
        self._heartbeat = Heartbeat(store, clock)
        group = f"$share/{share}/" if share else ""
        self._connections: dict[Lane, Transport] = {
            lane: connect(
                settings.broker,
                f"chequer-{name}-{lane}",
                filters=[group + topics.facts("+", "+", lane)],
                receive=partial(self._inbox.put, lane),
            )
            for lane in LANES
        }

    def stop(self) -> None:
        """Ask `run` to finish what it has in hand and return."""
        self._stop.set()
        self._inbox.ring()

    def run(self) -> int:
        """Work until stopped.

        Returns:
            Facts that were in hand and could not be committed before the end. The broker and the
            units still have them.
        """
        pace.settle()
        with ThreadPoolExecutor(1, thread_name_prefix="commit") as committer:
            self._run = partial(self._on_thread, committer)
            self.open()
            try:
                work = self.work()
                while True:
                    try:
                        pause = next(work)
                    except StopIteration as end:
                        left: int = end.value
                        return left
                    self._inbox.wait(pause.seconds)
            finally:
                self.close()

    def _on_thread(
        self, committer: ThreadPoolExecutor, attempt: Callable[[], Outcome]
    ) -> "Future[Outcome]":
        """One batch is committed on a thread of its own while the next one is received."""
        future = committer.submit(attempt)
        future.add_done_callback(lambda _: self._inbox.ring())
        return future

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
        while not self._stop.is_set():
            self._step()
            self._renew()
            yield Pause(self._patience(), for_messages=True)
        return (yield from self._finish())

    def _step(self) -> None:
        """What can be done without waiting."""
        self._settle()
        if self._commit is None:
            self._say()
            if self._is_ripe():
                self._begin()
                # Inline, or fast: then it is in the store already.
                self._settle()
        self._take()
        self._acknowledge()

    def _take(self) -> None:
        """Take in hand what has come in, up to a batch."""
        if not self._hand:
            self._gathered_by = self._clock.seconds() + LINGER_S
        for _ in range(0, BATCH, SIP):
            if self._hand.count >= BATCH or not (taken := self._inbox.take(SIP, 0)):
                return
            for received in taken:
                self._look_into(received)

    def _look_into(self, received: Received) -> None:
        message = received.message
        if self._throttle.passes(message.topic, message.received_ms):
            self._hand.add(received, judge(message.topic, message.payload, message.received_ms))
            return
        flood = self._throttle.flood(message.topic, message.received_ms)
        self._hand.put_off(received, flood)
        if flood is not None:
            flood.warn()

    def _is_ripe(self) -> bool:
        """Is the batch full, or old enough, or is a press in it?"""
        hand = self._hand
        if not hand:
            return False
        full = hand.count >= BATCH or hand.urgent
        return full or self._stop.is_set() or self._clock.seconds() >= self._gathered_by

    def _patience(self) -> float:
        """Seconds until something is to be done even if nothing comes in."""
        now = self._clock.seconds()
        due = []
        if self._commit is None:
            due.append(self._heartbeat.due)
            if self._is_ripe():
                return 0.0
            if self._hand:
                due.append(self._gathered_by)
        elif (look := self._commit.next_look()) is not None:
            due.append(look)
        if (ack := self._acks.next_due()) is not None:
            due.append(ack)
        return max(0.0, min(due, default=now + REST_S) - now)

    def _begin(self) -> None:
        """Let the batch be committed, and begin the next one."""
        reach("relay.before-commit")
        self._commit = Commit(self._hand, self._store, self._run)
        self._hand = Hand(self._name)

    def _settle(self) -> None:
        """If the batch before this one is committed: acknowledge to the broker."""
        if self._commit is None or (outcome := self._commit.look(self._clock.seconds())) is None:
            return
        reach("relay.after-commit")
        hand, self._commit = self._commit.hand, None
        self._last_commit_ms = self._clock.unix_ms()
        for received in hand.messages:
            self._connections[received.lane].acknowledge(received.message)
        reach("relay.after-puback")
        now = self._clock.seconds()
        self._letters.add(outcome.dead_letters, now)
        for stream, spans in outcome.acknowledge.items():
            self._acks.add(stream, spans, now)

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
        """After an overflow: have the broker deliver again what was not taken in.

        Not before all is acknowledged that was: the same would come again, and overflow again.
        """
        if self._hand or self._commit is not None:
            return
        for lane in self._inbox.overflowed():
            log.warning("the inbox of the %s lane was full; asking the broker again", lane)
            self._connections[lane].renew()

    def _say(self, *, last: bool = False) -> None:
        for flood in self._throttle.unsaid(self._clock.unix_ms(), everything=last):
            flood.warn()
        self._letters.say(self._clock.seconds(), last=last)
        depth = self._inbox.depth()
        row = WorkerRow(
            worker=self._name,
            in_flight=self._hand.count + depth,
            queue_depth=depth,
            last_commit_ms=self._last_commit_ms,
            reconnects=sum(each.reconnects for each in self._connections.values()),
            updated_ms=self._clock.unix_ms(),
        )
        self._heartbeat.say(row, last=last)

    def _finish(self) -> Generator[Pause, None, int]:
        """Commit and acknowledge what has come in so far."""
        self._inbox.close()
        give_up = self._clock.seconds() + LAST_TRY_S
        while self._commit or self._hand or self._inbox.depth():
            failing = self._commit is not None and self._commit.failing()
            if failing and self._clock.seconds() >= give_up:
                break
            self._step()
            yield Pause(min(self._patience(), 0.1), for_messages=False)
        self._acknowledge(everything=True)
        left = self._hand.count + (self._commit.hand.count if self._commit else 0)
        if left == 0:
            self._say(last=True)
        return left
