"""Filters for what sensors say; they compose, and nothing is allocated when they are fed.

Values are True, False, or None when nothing is known. A filter's `feed(value, now)` returns the
filtered value; `now` is ticks of `port`. Ticks may wrap, even in a pause between two readings: a
difference that is negative is taken for a long time.
"""

from port import ticks_diff


class Delay:
    """Lets a change to `value` through once it has lasted `ms`; all else passes at once.

    A pause without readings counts as if the value had lasted through it.

    Args:
        value: what is held back: True gives a delay-on, False a delay-off.
        ms: 0 to 2**28.
    """

    def __init__(self, value: bool, ms: int) -> None:
        self._value = value
        self._ms = ms
        self._waiting = False
        self._since = 0
        self._output: "bool | None" = None

    def feed(self, value, now: int):
        """The filtered value; unknown until a first value has passed."""
        if value is not self._value:
            self._waiting = False
            self._output = value
        elif self._output is not value:
            if not self._waiting:
                self._waiting = True
                self._since = now
            if not 0 <= ticks_diff(now, self._since) < self._ms:
                self._output = value
        return self._output


class Settle:
    """Changes its output only to a value that has not changed for `ms`; unknown passes at once.

    Args:
        ms: 0 to 2**28.
    """

    def __init__(self, ms: int) -> None:
        self._ms = ms
        self._output: "bool | None" = None
        self._candidate: "bool | None" = None
        self._since = 0

    def feed(self, value, now: int):
        """The filtered value; unknown until a first value has settled."""
        if value is None or value is self._output:
            self._output = value
            self._candidate = None
            return value
        if value is not self._candidate:
            self._candidate = value
            self._since = now
        if not 0 <= ticks_diff(now, self._since) < self._ms:
            self._output = value
        return self._output
