"""Filters for what sensors say; they compose, and nothing is allocated when they are fed.

Values are True, False, or None when nothing is known. A filter of one value has
`feed(value, now)`, where `now` is ticks of `port`; a combination of several has the same with the
sensors' values in a list. Ticks may wrap, even in a pause between two readings: a difference that
is negative is taken for a long time.
"""

from port import ticks_diff


class _Delay:
    """Lets a change to one value through once it has lasted; all else passes at once.

    A pause without readings counts as if the value had lasted through it.
    """

    _held = True

    def __init__(self, ms: int) -> None:
        self._ms = ms
        self._waiting = False
        self._since = 0
        self._output: bool | None = None

    def feed(self, value, now: int):
        """The filtered value; unknown until a first value has passed."""
        if value is not self._held:
            self._waiting = False
            self._output = value
        elif self._output is not value:
            if not self._waiting:
                self._waiting = True
                self._since = now
            if not 0 <= ticks_diff(now, self._since) < self._ms:
                self._output = value
        return self._output


class DelayOn(_Delay):
    """Lets True through once it has lasted `ms`; False and unknown pass at once.

    Args:
        ms: 0 to 2**28.
    """


class DelayOff(_Delay):
    """Lets False through once it has lasted `ms`; True and unknown pass at once.

    Args:
        ms: 0 to 2**28.
    """

    _held = False


class Settle:
    """Changes its output only to a value that has not changed for `ms`; unknown passes at once.

    Args:
        ms: 0 to 2**28.
    """

    def __init__(self, ms: int) -> None:
        self._ms = ms
        self._output: bool | None = None
        self._candidate: bool | None = None
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


class Chain:
    """Filters one behind the other.

    Args:
        stages: in the order in which values pass.
    """

    def __init__(self, *stages) -> None:
        self._stages = stages

    def feed(self, value, now: int):
        """The value behind the last filter."""
        for stage in self._stages:
            value = stage.feed(value, now)
        return value


class Any:
    """True when one says so; False only when all say so; else unknown."""

    def feed(self, values, _now: int):
        """Combine what the sensors say; of no sensors it is False."""
        unknown = False
        for value in values:
            if value:
                return True
            unknown = unknown or value is None
        return None if unknown else False


class All:
    """False when one says so; True only when all say so; else unknown."""

    def feed(self, values, _now: int):
        """Combine what the sensors say; of no sensors it is True."""
        unknown = False
        for value in values:
            if value is None:
                unknown = True
            elif not value:
                return False
        return None if unknown else True


class Majority:
    """What most of those say that know; a tie changes nothing; unknown when nobody knows."""

    def __init__(self) -> None:
        self._output: bool | None = None

    def feed(self, values, _now: int):
        """Combine what the sensors say."""
        balance = known = 0
        for value in values:
            if value is not None:
                known += 1
                balance += 1 if value else -1
        if not known:
            self._output = None
        elif balance:
            self._output = balance > 0
        return self._output
