"""Hands out updates: offers to the next units, pieces to those that ask, and keeps what they say.

In a thread and on a connection of its own, so that no verdict ever waits for a piece. It keeps
nothing that matters in memory: offers and progress are in the store, bundles on the shelf, and how
far a unit has come is on its own flash. So it may be ended and started again at any time.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from host_bridge.clock import SYSTEM, Clock
from host_bridge.contract import topics
from host_bridge.contract.facts import MAX_MESSAGE
from host_bridge.contract.messages import Offer, Piece, Progress, Want
from host_bridge.director.link import Link
from host_bridge.domain.rollout import BAD, Heard, Offered, believed, plan
from host_bridge.settings import Settings
from host_bridge.store import Store, StoreUnavailableError
from host_bridge.transport.mqtt import Connect, Connection
from host_bridge.update.shelf import Shelf

_log = logging.getLogger(__name__)

STEP_SECONDS = 0.02
LOOK_MS = 1_000
"""How often offers are looked at."""

REPEAT_MS = 60_000
"""A unit that has asked for nothing for so long is told again: it may have been away."""

_encode = msgspec.json.Encoder().encode
_progress = msgspec.json.Decoder(Progress).decode
_want = msgspec.json.Decoder(Want).decode


class UpdateServer:
    """For one site. `ignored` counts messages that were not understood or not believed."""

    def __init__(  # noqa: PLR0917 (the last three are for a host among others, and for tests)
        self,
        settings: Settings,
        store: Store,
        online: Callable[[], Mapping[str, bool]],
        leads: Callable[[], bool] = lambda: True,
        clock: Clock = SYSTEM,
        connect: Connect = Connection,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            settings: the site, its broker, and where the bundles are.
            store: where offers and progress are.
            online: which units are there.
            leads: whether this host directs the site now; one that stands by says nothing.
            clock: what tells the time.
            connect: what makes a connection to the broker.
        """
        self.ignored: Counter[str] = Counter()
        self._site = settings.site.name
        self._store = store
        self._online = online
        self._leads = leads
        self._now_ms = clock.unix_ms
        self._shelf = Shelf(Path(settings.update.folder))
        filters = [topics.want(self._site, "+"), topics.update(self._site, "+")]
        self._link = Link(settings.broker, f"updates-{self._site}", filters, clock, connect)
        self._offers: dict[str, Offered] = {}
        self._heard: dict[str, Heard] = {}
        self._unsaved: dict[str, Heard] = {}
        self._spoken_ms: dict[str, int] = {}
        self._looked_ms: int | None = None
        self._trouble = ""
        self._absent: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="updates", daemon=True)

    def start(self) -> None:
        """Begin to offer and to answer."""
        self._link.start()
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the connection."""
        self._stop.set()
        self._thread.join(10)
        self._link.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._step()
                self._trouble = ""
            except StoreUnavailableError as error:
                self._fail(str(error))
            except Exception as error:  # noqa: BLE001 - a defect must show, not end all updates
                self._fail(f"a defect: {type(error).__name__}")
            self._stop.wait(STEP_SECONDS)

    def _fail(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.error("Updates can't go on at present: %s; units keep what they have.", trouble)
        self._trouble = trouble
        self._looked_ms = self._now_ms()

    def _step(self) -> None:
        if not self._leads():
            for _ in self._link.received():
                pass  # the host that directs hears it too
            self._looked_ms = None  # begin with what is in the store
            return
        now = self._now_ms()
        if self._looked_ms is None:
            self._read()
        wants: dict[str, bytes] = {}
        for message in self._link.received():
            parsed = topics.parse(message.topic)
            if parsed is None or parsed[0] != self._site or len(message.payload) > MAX_MESSAGE:
                self.ignored["message"] += 1
            elif parsed[2] == "want":
                wants[parsed[1]] = message.payload  # of a flood the last one counts
            else:
                self._hear(parsed[1], message.payload, retained=message.retained)
        for unit, payload in wants.items():
            self._answer(unit, payload, now)
        if self._looked_ms is None or abs(now - self._looked_ms) >= LOOK_MS or self._unsaved:
            self._looked_ms = now
            self._look(now)

    def _read(self) -> None:
        self._heard = self._store.updates.heard(self._site) | self._unsaved
        self._offers = self._store.updates.offers(self._site)

    def _hear(self, unit: str, payload: bytes, *, retained: bool) -> None:
        """Take what a unit says; what the broker repeats of it is no news."""
        try:
            said = _progress(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.ignored["progress"] += 1
            return
        before = self._heard.get(unit)
        if unit not in self._offers and before is None:
            self.ignored["not-asked"] += 1
            return
        heard = Heard(unit=unit, time_ms=self._now_ms(), **msgspec.structs.asdict(said))
        if not believed(before, heard) or (retained and before is not None and before.same(heard)):
            return
        self._heard[unit] = self._unsaved[unit] = heard

    def _answer(self, unit: str, payload: bytes, now: int) -> None:
        try:
            want = _want(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.ignored["want"] += 1
            return
        offer = self._offers.get(unit)
        if offer is None or offer.told_ms is None or offer.bundle != want.bundle:
            self.ignored["not-offered"] += 1
            return
        data = self._shelf.piece(want.bundle, want.offset, want.size)
        if data is None:
            self.ignored["no-piece"] += 1
            return
        self._spoken_ms[unit] = now
        piece = Piece(bundle=want.bundle, offset=want.offset, data=data)
        self._link.publish(topics.down(self._site, unit, "piece"), _encode(piece))

    def _look(self, now: int) -> None:
        for unit, heard in list(self._unsaved.items()):
            self._store.updates.hear(self._site, heard)
            del self._unsaved[unit]
        self._read()
        found = plan(self._offers.values(), self._heard, self._online(), now)
        changed = {
            (unit, self._offers[unit].bundle): standing
            for unit, standing in found.standings.items()
            if standing != self._offers[unit].standing
        }
        self._store.updates.stands(self._site, changed)
        for (unit, _), standing in changed.items():
            if standing in BAD:
                _log.error("The roll-out stops: %s, %s. See chequer update status.", unit, standing)
        for unit in found.tell:
            offer = self._offers[unit]
            if self._tell(offer, now):
                self._store.updates.told(self._site, unit, offer.bundle, now)
                # The unit asks at once, sooner than offers are read again.
                self._offers[unit] = msgspec.structs.replace(offer, told_ms=now)
        self._repeat(found.standings, now)

    def _repeat(self, standings: Mapping[str, str], now: int) -> None:
        for unit, standing in standings.items():
            silent = now - self._spoken_ms.get(unit, 0) >= REPEAT_MS
            if standing in ("told", "fetching") and silent and self._online().get(unit):
                self._tell(self._offers[unit], now)

    def _tell(self, offer: Offered, now: int) -> bool:
        if not self._shelf.has(offer.bundle):
            if offer.bundle not in self._absent:
                _log.error("The bundle %s is not in the folder of updates.", offer.bundle)
            self._absent.add(offer.bundle)
            return False
        message = Offer(bundle=offer.bundle, size=offer.size, again=offer.again)
        topic = topics.down(self._site, offer.unit, "update")
        told = self._link.publish(topic, _encode(message))
        if told:
            self._spoken_ms[offer.unit] = now
        return told
