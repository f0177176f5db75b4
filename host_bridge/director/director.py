"""The director's loop: new facts in, answers and guidance out, the floor for the page."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from host_bridge.contract import topics
from host_bridge.director.presence import Presence
from host_bridge.director.speaker import Speaker
from host_bridge.domain.floor import Answer, Floor, RoomView, day_number
from host_bridge.settings import Site
from host_bridge.store import Store, StoreUnavailableError
from host_bridge.transport import Client

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


@dataclass(frozen=True, slots=True)
class Figures:
    """What the director has done since it started."""

    facts: int
    verdicts: int
    unanswered: int
    late: int
    ignored_facts: int
    ignored_states: dict[str, int]
    seconds_to_verdict: tuple[float, ...]


class Director:
    """Runs in a thread of its own between `start` and `stop`.

    Everything public may be called from any thread.
    """

    def __init__(
        self,
        site: Site,
        store: Store,
        client: Client,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        shift: Callable[[int], int] = day_number,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            site: the rooms and rules.
            store: where facts are committed.
            client: a connection to the broker that is not started yet.
            now_ms: the clock, Unix milliseconds.
            shift: the number of the shift at a time.
        """
        self._site = site
        self._store = store
        self._client = client
        self._now_ms = now_ms
        self._floor = Floor(site, lambda tag: store.registry.record(site.name, tag), shift)
        self._presence = Presence(site.name)
        self._speaker = Speaker(site.name, client)
        self._states: deque[tuple[str, bytes]] = deque(maxlen=100_000)
        self._reconnected = threading.Event()
        self._cursor = 0
        self._marker: object = None
        self._looked_ms = 0
        self._facts = self._verdicts = self._unanswered = 0
        self._latencies: deque[float] = deque(maxlen=1_000)
        self._rooms = self._floor.view(now_ms(), {})
        self._listeners: list[Callable[[tuple[RoomView, ...]], None]] = []
        self._trouble: str | None = "is reading what happened before"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="director", daemon=True)
