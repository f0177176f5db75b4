"""Feeds the watchdog only while every task makes progress."""

from port import const, ticks_diff, ticks_ms

_STUCK_MS = const(5_000)


class Watch:
    """Knows when each task has last made progress.

    Args:
        feed: Feeds the watchdog.
        record: Called as record(text) once, when a task has been stuck for so long that the
            watchdog will end this: the last chance to keep why.
        ticks: Millisecond counter, as `port.ticks_ms`.
    """

    def __init__(self, feed, record, ticks=ticks_ms) -> None:
        self._feed = feed
        self._record = record
        self._ticks = ticks
        self._patience: dict[str, int] = {}
        self._beaten: dict[str, int] = {}
        self._failures: dict[str, str] = {}
        self._fed = ticks()
        self._recorded = False
        self._fine = True

    def expect(self, task: str, patience_ms: int) -> None:
        """From now on `task` has to make progress at least every `patience_ms`."""
        self._patience[task] = patience_ms
        self._beaten[task] = self._ticks()

    def beat(self, task: str) -> None:
        """The task has made progress."""
        self._beaten[task] = self._ticks()

    def failed(self, task: str, text: str) -> None:
        """The task has raised an exception and starts again: perhaps why it will be stuck."""
        self._failures[task] = text
        self._fine = False

    def well(self) -> bool:
        """Whether no task is stuck, and none has failed since this was asked last."""
        well = self._fine and self._stuck() is None
        self._fine = True
        return well

    def look(self) -> None:
        """Feed if all have made progress; call it about every second."""
        stuck = self._stuck()
        now = self._ticks()
        if stuck is None:
            self._fed = now
            self._feed()
        elif not self._recorded and ticks_diff(now, self._fed) >= _STUCK_MS:
            self._recorded = True
            self._record("stuck: %s %s" % (stuck, self._failures.get(stuck, "")))

    def _stuck(self):
        now = self._ticks()
        for task, patience in self._patience.items():
            if ticks_diff(now, self._beaten[task]) > patience:
                return task
        return None
