"""The director's loop: new facts in, answers and guidance out, the floor for the page."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from host_bridge.clock import SYSTEM, Clock
from host_bridge.contract import topics
from host_bridge.director.beginning import begin
from host_bridge.director.latency import Latency
from host_bridge.director.lead import Alone, Lead, Voice
from host_bridge.director.link import Link
from host_bridge.director.modes import Modes
from host_bridge.director.nightly import Nightly
from host_bridge.director.presence import Presence
from host_bridge.director.reports import Reports
from host_bridge.director.speaker import Speaker
from host_bridge.director.updates import UpdateServer
from host_bridge.domain.floor import Answer, Floor, RoomView, day_number
from host_bridge.settings import Settings
from host_bridge.store import Store, StoreUnavailableError
from host_bridge.transport.mqtt import Connect, Connection

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.02
"""How often the store's marker is looked at: what a verdict waits for at the most."""

LOOK_MS = 1_000
"""How often time alone may change the floor: away limits, the next shift."""

FRESH_MS = 3_000
"""Older taps get no verdict: the unit waits 1.5 s and then helps itself."""

PORTION = 1_000
"""Facts read at once."""

RETRY_SECONDS = 1.0
"""How long to wait when the store can't be read."""

MUTE_S = 5.0
"""A director without a broker, or whose thread hangs, leaves the site to others after so long."""

Listener = Callable[[tuple[RoomView, ...]], None]


@dataclass(slots=True)
class Figures:
    """What the director has done since it started. Written by its own thread only."""

    facts: int = 0
    verdicts: int = 0
    unanswered: int = 0
    """Fresh taps that got no verdict because the broker was away."""
    latency: Latency = field(default_factory=Latency)
    """From a tap's arrival at the host to its verdict's departure."""


class Director:
    """Runs in a thread of its own between `start` and `stop`.

    Everything public may be used from any thread, `step` excepted: it is for whoever has another
    clock, starts the link alone and makes the pauses between steps.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        shift: Callable[[int], int] = day_number,
        clock: Clock = SYSTEM,
        connect: Connect = Connection,
        alone: bool = False,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            settings: the site, and where its broker is.
            store: where facts are committed.
            shift: the number of the shift at a time.
            clock: what tells the time.
            connect: what makes a connection to the broker.
            alone: nobody else serves the site for certain, so nothing needs to be elected.
        """
        site = settings.site
        self.site = site
        self.figures = Figures()
        states = [topics.state(site.name, "+")]
        self.link = Link(settings.broker, f"director-{site.name}", states, clock, connect)
        self.presence = Presence(site.name)
        self.floor = Floor(site, lambda tag: store.registry.record(site.name, tag), shift)
        self.updates = UpdateServer(
            settings, store, lambda: self.presence.online, lambda: self.lead.leads, clock, connect
        )
        self._store = store
        self._clock = clock
        self.lead: Voice = Alone(self.link)
        if not alone:
            self.lead = Lead(
                site.name,
                settings.broker,
                store.leases,
                willing=self._can_direct,
                clock=clock,
            )
        self.nightly = Nightly(settings, store, lambda: self.lead.leads, clock)
        self._speaker = Speaker(site.name, self.lead)
        self._reports = Reports(site.name, store, self._speaker.seen)
        self._modes = Modes(site, store, self._speaker.mode)
        self._listeners: list[Listener] = []
        self._rooms = self.floor.view(clock.unix_ms(), {})
        self._trouble: str | None = "It is still reading what happened before."
        self._cursor: int | None = None
        self._marker: object = None
        self._looked_ms = 0
        self._led = False
        self._worked_at: float | None = None
        self._heard_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="director", daemon=True)

    @property
    def rooms(self) -> tuple[RoomView, ...]:
        """The floor as it was last looked at."""
        return self._rooms

    @property
    def cursor(self) -> int | None:
        """The id of the last fact that it has read; None before the first one."""
        return self._cursor

    @property
    def look_due_ms(self) -> int:
        """When time alone makes it look again, Unix milliseconds."""
        return self._looked_ms + LOOK_MS

    @property
    def trouble(self) -> str | None:
        """Why what it shows may be old; None when all is well."""
        if not self._thread.is_alive():
            return "It does not run."
        return self._trouble or self._silence()

    def _silence(self) -> str | None:
        """Why desks hear nothing although the broker is there."""
        if not self.link.connected or self.lead.connected or self.lead.stands_by:
            return None
        return "It waits for the election of the host that directs this site; that takes seconds."

    def listen(self, listener: Listener) -> None:
        """Call `listener` in the director's thread whenever the floor looks different."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Read what happened before, then follow."""
        self.link.start()
        self._thread.start()
        self.lead.start()
        self.updates.start()
        self.nightly.start()

    def stop(self) -> None:
        """End the thread and the connection."""
        self._stop.set()
        self.nightly.stop()
        self.updates.stop()
        self._thread.join(10)
        self.lead.stop()
        self.link.stop()

    def _can_direct(self) -> bool:
        """Has it read what happened, does it get on with its work, and can it reach desks?"""
        now = self._clock.seconds()
        if self.link.connected:
            self._heard_at = now
        works = self._worked_at is not None and now - self._worked_at < MUTE_S
        return works and now - self._heard_at < MUTE_S

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(self.step())

    def step(self) -> float:
        """Take in what is new, and say what follows from it; how many seconds to rest then."""
        try:
            self._step()
        except StoreUnavailableError as error:
            # Not the whole message: it names the database's address, and pages show this.
            self._fail(f"The database can't be used: {error.reason}. It tries again.")
            return RETRY_SECONDS
        except Exception as error:  # noqa: BLE001 - a defect must show, not end the verdicts
            # The type only: the text of an error may quote a fact.
            self._fail(f"A defect: {type(error).__name__}. It tries the same facts again.")
            return RETRY_SECONDS
        self._worked_at = self._clock.seconds()
        self._trouble = None
        return POLL_SECONDS

    def _fail(self, trouble: str) -> None:
        self._marker = None  # read again even if nothing new is committed
        if trouble != self._trouble:
            _log.error("The director can't go on: %s", trouble)
        self._trouble = trouble

    def _step(self) -> None:
        changed = [
            self.presence.take(
                each.topic, each.payload, None if each.retained else each.received_ms
            )
            for each in self.link.received()
        ]
        look = any(changed) or self._speaker.is_behind
        # The marker first: what is committed while we read makes it differ the next time.
        if self.lead.leads != self._led:
            self._led, self._marker = self.lead.leads, None
        marker = self._store.changed()
        if marker != self._marker:
            look = self._catch_up() or look
            self._marker = marker
        if look or abs(self._clock.unix_ms() - self._looked_ms) >= LOOK_MS:
            self._look()

    def _catch_up(self) -> bool:
        """Take in what was committed since; True when that may change what desks show."""
        self._record()
        any_new = any((self._reports.read(), self._modes.read()))
        if self._cursor is None:
            left, self._cursor = begin(self._store, self.site, self.floor, self._clock.unix_ms())
            self.figures.facts += left
        while not self._stop.is_set():
            facts = self._store.facts_after(self._cursor, PORTION)
            if not facts:
                break
            answers = self.floor.fold(f for f in facts if f.site == self.site.name)
            self._record()
            for answer in answers:
                self._answer(answer)
            self._cursor = facts[-1].id
            self.figures.facts += len(facts)
            if self._worked_at is not None:
                self._worked_at = self._clock.seconds()
            any_new = True
            if len(facts) < PORTION:
                break
        return any_new

    def _record(self) -> None:
        """Write what follows from the facts; whoever stands by leaves that to the other one."""
        if not self.lead.stands_by:
            self._reports.record(self.floor)

    def _answer(self, answer: Answer) -> None:
        """Send a verdict if somebody still stands there and waits for it."""
        now = self._clock.unix_ms()
        since_received = max(0, now - answer.received_ms)
        if answer.age_ms is None or answer.age_ms + since_received > FRESH_MS:
            return
        if self._speaker.answer(answer, now):
            self.figures.verdicts += 1
            self.figures.latency.add(since_received / 1000)
        elif not self.lead.stands_by:
            self.figures.unanswered += 1

    def _look(self) -> None:
        now = self._clock.unix_ms()
        self._looked_ms = now
        rooms = self.floor.view(now, self.presence.online)
        self._speaker.guide(rooms, now)
        self._modes.tell(rooms, now)
        self._speaker.send()
        self._reports.tell(now, self.presence.online)
        if rooms != self._rooms:
            self._rooms = rooms
            for listener in self._listeners:
                listener(rooms)
