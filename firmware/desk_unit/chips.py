"""Chips that may be missing, fail and come back, each without harm to the rest."""

from port import const, sleep_ms, ticks_diff, ticks_ms

_RETRY_MIN_MS = const(1_000)
_RETRY_MAX_MS = const(30_000)
_GOOD_MS = const(60_000)
_REASON = const(80)


class Chips:
    """Keeps each chip's task going and knows what is wrong with whom.

    Args:
        report: Called as report(chip, ok, reason) when a chip fails or works again.
        log: Function that takes one line of text.
        beat: Called with the chip's name whenever its task makes progress.
    """

    def __init__(self, report, log, beat) -> None:
        self._report = report
        self._log = log
        self._beat = beat
        self.faults: dict[str, str] = {}
        """Reason by chip, for those that don't work."""

    def works(self, chip: str) -> None:
        """The chip has just done what it should."""
        self._beat(chip)
        if chip in self.faults:
            # In this order: a report that fails (memory is short, say) is made the next time.
            self._report(chip, True, "")
            del self.faults[chip]

    async def keep(self, chip: str, work) -> None:
        """Run `work()`, a coroutine function that only ends by an exception, again and again.

        The pause before the next try doubles from 1 s to 30 s; a chip that has worked for a
        minute begins at 1 s again.
        """
        pause = _RETRY_MIN_MS
        while True:
            self._beat(chip)
            began = ticks_ms()
            try:
                await work()
                failure = None
            except Exception as error:
                failure = error
            if ticks_diff(ticks_ms(), began) >= _GOOD_MS:
                pause = _RETRY_MIN_MS
            self.fails(chip, failure)
            await sleep_ms(pause)
            pause = min(pause * 2, _RETRY_MAX_MS)

    def fails(self, chip: str, error) -> None:
        """The chip has just not done what it should; told once, until it works again.

        Args:
            chip: Its name.
            error: The exception, whose `reason` is taken if it has one; None if its task ended.
        """
        reason = getattr(error, "reason", "") or (repr(error) if error else "its task ended")
        reason = reason[:_REASON]
        if chip not in self.faults:
            self._log("%s: %s; the rest goes on, it is tried again" % (chip, reason))
            self._report(chip, False, reason)
        self.faults[chip] = reason
