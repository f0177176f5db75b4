"""A batch on its way into the store, tried until it is in."""

import logging
from collections.abc import Callable
from concurrent.futures import Future

from host_bridge.relay.hand import Hand
from host_bridge.relay.portions import Portions
from host_bridge.store import Outcome, Store, StoreUnavailableError

log = logging.getLogger(__name__)

RETRY_S = (0.1, 5.0)
"""First and longest wait before another try; it doubles in between."""

Run = Callable[[Callable[[], Outcome]], "Future[Outcome]"]
"""Runs a try: on another thread, or at once."""


def at_once(attempt: Callable[[], Outcome]) -> "Future[Outcome]":
    """Run it here and now; only the store's error is kept for later."""
    future: Future[Outcome] = Future()
    try:
        future.set_result(attempt())
    except StoreUnavailableError as error:
        future.set_exception(error)
    return future


class Commit:
    """The commit of a hand. The caller looks at it now and then; it never waits itself.

    While the database can't be used nothing is acknowledged, so the broker soon sends no more,
    and the units keep their facts: that is the back-pressure.
    """

    def __init__(self, hand: Hand, store: Store, run: Run) -> None:
        self.hand = hand
        self._store = store
        self._run = run
        self._portions = Portions(hand.batch())
        self._wait_s, self._longest_s = RETRY_S
        self._next_try: float | None = None
        self._future = self._try()

    def _try(self) -> "Future[Outcome]":
        return self._run(lambda: self._portions.commit(self._store))

    def failing(self) -> bool:
        """Whether it waits for another try."""
        return self._next_try is not None

    def next_look(self) -> float | None:
        """When to look at it, in the seconds of `look`; None: when the try has ended."""
        return self._next_try

    def look(self, now: float) -> Outcome | None:
        """What became of it, once it is in the store; `now` is monotonic, in seconds."""
        if self._next_try is not None:
            if now < self._next_try:
                return None
            self._next_try = None
            self._future = self._try()
        if not self._future.done():
            return None
        try:
            return self._future.result()
        except StoreUnavailableError as error:
            log.error(  # noqa: TRY400 (an operator's sentence, not a stack)
                "%s %d facts are kept in hand, the rest waits at the broker and the units; "
                "trying again in %.1f s",
                error,
                self.hand.count,
                self._wait_s,
            )
        self._next_try = now + self._wait_s
        self._wait_s = min(self._wait_s * 2, self._longest_s)
        return None
