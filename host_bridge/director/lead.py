"""The director's voice: it can be heard only while this host is the one that directs the site.

Each term speaks over a connection of its own, which is never made again and always has the same
client identifier. A broker ends the older connection of an identifier when a newer one comes
(MQTT 3.1.1, 3.1.4-2). So whoever was stopped between asking "may I?" and speaking, and wakes up
after another one has taken over, speaks into a dead connection.
"""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from host_bridge.clock import SYSTEM, Clock
from host_bridge.director.election import BEAT_S, Election
from host_bridge.director.retained import Publisher
from host_bridge.settings import Broker
from host_bridge.store import Leases, StoreUnavailableError
from host_bridge.transport.mqtt import Connection

_log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""How long to wait before another connection is made in place of a lost one."""


class Voice(Publisher, Protocol):
    """What a director speaks with."""

    @property
    def leads(self) -> bool:
        """Does this host direct at this very moment?"""

    @property
    def stands_by(self) -> bool:
        """Does another host direct?"""

    @property
    def leader(self) -> str | None:
        """Who directs, as far as can be seen from here."""

    @property
    def term(self) -> int:
        """The number of the newest term that was seen."""

    @property
    def changes(self) -> int:
        """How often another one was seen to direct than before."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


class Alone:
    """The voice of a host that is alone for certain: it speaks over the director's connection."""

    leads = True
    stands_by = False
    leader = "this host"
    term = 1
    changes = 0

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    @property
    def connected(self) -> bool:
        """Can it be heard now?"""
        return self._publisher.connected

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""
        return self._publisher.reconnects

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message over, QoS 1, without waiting; False when it can't be sent."""
        return self._publisher.publish(topic, payload, retain=retain)

    def start(self) -> None:
        """Nothing: the connection has an owner."""

    def stop(self) -> None:
        """Nothing either."""


class Lead:
    """Election and voice of one site. What it says is refused while another one directs."""

    def __init__(
        self,
        site: str,
        broker: Broker,
        leases: Leases,
        *,
        willing: Callable[[], bool],
        clock: Clock = SYSTEM,
    ) -> None:
        """Nothing happens before `start`, or the first `step` of whoever has another clock.

        Args:
            site: its name.
            broker: where the broker listens.
            leases: where directors are elected.
            willing: could this host direct at present?
            clock: its seconds, which only go forward, count.
        """
        self.election = Election(site, leases, willing=willing, clock=clock.seconds)
        self._identifier = f"chequer-director-{site}"
        self._broker = broker
        self._clock = clock.seconds
        self._voice: Connection | None = None
        self._term = 0
        self._made = self._heard = 0
        self._made_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lead", daemon=True)
        self._trouble = ""

    @property
    def leads(self) -> bool:
        """Does this host direct at this very moment?"""
        return self.election.leads

    @property
    def stands_by(self) -> bool:
        """Does another host direct?"""
        return self.leader not in {None, self.election.name}

    @property
    def leader(self) -> str | None:
        """Who directs, as far as can be seen from here."""
        return self.election.leader

    @property
    def term(self) -> int:
        """The number of the newest term that was seen."""
        return self.election.term

    @property
    def changes(self) -> int:
        """How often another one was seen to direct than before."""
        return self.election.changes

    @property
    def connected(self) -> bool:
        """Can it be heard now?"""
        voice = self._voice
        return voice is not None and voice.connected and self.election.leads

    @property
    def reconnects(self) -> int:
        """Which connection this is: what the broker retains is to be said again over a new one."""
        if self.connected:
            self._heard = self._made
        return self._heard

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message over, QoS 1, without waiting; False when it must not or can't be sent."""
        voice = self._voice
        # In this order: a connection that was there before the lease was looked at is an older
        # one than any connection of a later term, and the broker has ended it by then.
        if voice is None or not voice.connected or not self.election.leads:
            return False
        return voice.publish(topic, payload, retain=retain)

    def start(self) -> None:
        """Take part in the election, in a thread of its own.

        Of its own, because a lease must be renewed while the director waits for the database.
        """
        self._thread.start()

    def stop(self) -> None:
        """Leave the site to others at once. Safe to call twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self._fall_silent()
        try:
            self.election.resign()
        except StoreUnavailableError as error:
            _log.warning("others direct %.0f s later: %s", BEAT_S, error.reason)

    def step(self) -> None:
        """Look at the lease once, and make or end the connection accordingly.

        Raises:
            StoreUnavailableError: the database can't be used.
        """
        led = self.election.leader
        self.election.step()
        if self.election.leader != led:
            _log.info("%s directs this site", self.election.leader or "nobody")
        if not self.election.leads:
            self._fall_silent()
        elif self._voice is None or self._term != self.election.term or self._is_lost():
            self._fall_silent()
            self._speak()

    def _is_lost(self) -> bool:
        old = self._clock() - self._made_at >= AGAIN_S
        return old and self._voice is not None and not self._voice.connected

    def _speak(self) -> None:
        self._term = self.election.term
        self._made += 1
        self._made_at = self._clock()
        voice = Connection(self._broker, self._identifier, clean=True, manual=False, once=True)
        voice.start()
        self._voice = voice

    def _fall_silent(self) -> None:
        voice, self._voice = self._voice, None
        if voice is not None:
            voice.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.step()
                self._trouble = ""
            except StoreUnavailableError as error:
                if error.reason != self._trouble:
                    _log.warning("the site can't be directed: %s", error.reason)
                self._trouble = error.reason
            if not self.election.leads:
                self._fall_silent()
            self._stop.wait(BEAT_S)
