"""The deletion of each night, by the host that directs the site."""

import logging
import threading
from collections.abc import Callable

from host_bridge.clock import SYSTEM, Clock
from host_bridge.forget import ClockError, forget
from host_bridge.settings import Settings
from host_bridge.store import Store, StoreUnavailableError

_log = logging.getLogger(__name__)

DAY_MS = 86_400_000
HOUR_MS = 3_600_000

AFTER_START_S = 60.0
"""A start has better things to do first than what the last night has missed."""

LOOK_S = 30.0
"""How often it looks whether it is time."""

AGAIN_S = 600.0
"""Until another try when one came to grief."""

REST_S = 0.002
"""Between two portions: others may need the processor."""


class Nightly:
    """For one site. `step` is for its own thread, or for whoever has another clock.

    `failed`: the last try came to grief; `refused`: because the clock may be wrong.
    """

    def __init__(
        self, settings: Settings, store: Store, leads: Callable[[], bool], clock: Clock = SYSTEM
    ) -> None:
        """Nothing happens before `start`.

        Args:
            settings: the site, the hour, and how long things are kept.
            store: where they are.
            leads: whether this host directs the site now.
            clock: what tells the time.
        """
        self.failed = False
        self.refused = False
        self._settings = settings
        self._store = store
        self._leads = leads
        self._clock = clock
        self._not_before = clock.seconds() + AFTER_START_S
        self._trouble = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nightly", daemon=True)

    def start(self) -> None:
        """Look from now on whether it is time."""
        self._thread.start()

    def stop(self) -> None:
        """End after the portion at hand; the next run goes on. Safe to call twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def step(self) -> None:
        """Delete what is over its time, if it is time for that and this host directs."""
        now = self._clock.seconds()
        if now < self._not_before:
            return
        self._not_before = now + LOOK_S
        if not self._leads():
            self.failed = self.refused = False  # that is for the other host to say
            return
        try:
            if self._is_due():
                self._forget()
            self.failed, self.refused, self._trouble = False, False, ""
        except ClockError as error:
            self.refused = True
            self._fail(str(error))
        except StoreUnavailableError as error:
            self._fail(f"the database can't be used: {error.reason}; nothing is lost")
        except Exception as error:  # noqa: BLE001 - a defect must show, and end nothing else
            # The type only: the text of an error may quote a fact.
            self._fail(f"a defect: {type(error).__name__}")

    def _is_due(self) -> bool:
        """Has nothing been deleted since it was the hour last?"""
        now, hour = self._clock.unix_ms(), self._settings.privacy.hour
        due = now - (now - hour * HOUR_MS) % DAY_MS
        runs = self._store.retention.last_run(self._settings.site.name)
        # A clock that was set back shows as well: then the run itself refuses.
        return not runs or not due <= runs[0].at_ms <= now + HOUR_MS

    def _forget(self) -> None:
        work = forget(self._store, self._settings, self._clock.unix_ms())
        while not self._stop.is_set():
            try:
                next(work)
            except StopIteration as end:
                deleted = sum(run.deleted for run in end.value)
                _log.info("%d rows that were over their time are deleted", deleted)
                return
            if self._thread.is_alive():
                self._stop.wait(REST_S)

    def _fail(self, trouble: str) -> None:
        self.failed = True
        self._not_before = self._clock.seconds() + AGAIN_S
        if trouble != self._trouble:
            _log.error("What is over its time is not deleted yet: %s. It tries again.", trouble)
        self._trouble = trouble

    def _run(self) -> None:
        while not self._stop.is_set():
            self.step()
            self._stop.wait(1.0)
