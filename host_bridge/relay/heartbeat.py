"""What a worker says about itself: at most once a second, and every ten when nothing changes."""

import logging

from host_bridge.clock import Clock
from host_bridge.store import Store, StoreUnavailableError, WorkerRow

log = logging.getLogger(__name__)

BEAT_S = 1.0
"""How often the relay may write what it says about itself."""

REST_S = 10.0
"""How often it writes that when nothing changes."""


class Heartbeat:
    """Of one worker. `due` says when `say` has something to do if nothing comes in before."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.due = 0.0
        self._store = store
        self._clock = clock
        self._said: WorkerRow | None = None
        self._next = 0.0

    def say(self, row: WorkerRow, *, last: bool = False) -> None:
        """Write it if it is time; `last` is the worker's last word and is written in any case.

        When nothing changes it is written now and then, to show that the worker lives.
        """
        now = self._clock.seconds()
        if last:
            self._next, self._said = 0.0, None
        if now < self._next:
            self.due = self._next
            return
        self._next = self.due = now + BEAT_S
        if not self._is_news(row):
            assert self._said is not None
            age = (row.updated_ms - self._said.updated_ms) / 1000
            self.due = now + max(BEAT_S, REST_S - age)
            return
        try:
            self._store.heartbeat(row)
        except StoreUnavailableError as error:
            log.warning("the figures of %s were not written: %s", row.worker, error.reason)
            return
        self._said = row
        self.due = now + REST_S

    def _is_news(self, row: WorkerRow) -> bool:
        before = self._said
        if before is None or row.updated_ms - before.updated_ms >= REST_S * 1000:
            return True
        return (row.in_flight, row.last_commit_ms, row.reconnects) != (
            before.in_flight,
            before.last_commit_ms,
            before.reconnects,
        )
