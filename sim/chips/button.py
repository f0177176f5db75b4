"""A push button: a contact to ground that bounces, behind a pull-up.

Modelled: presses at given times for given durations, bounce after each change of the contact
(random, from a seed; it always ends before the contact's next change). Not modelled: the board's
RC filter (give `bounce_us=0` for what is behind it), partial presses, wear.
"""


class Button:
    """Level 1 while released, 0 while pressed, and anything in between for a few milliseconds.

    Args:
        clock: microseconds, see `sim.chips`; needed only to be called as a pin.
        seed: of the bounce.
        bounce_us: how long a contact bounces at the most; arcade buttons take 1 to 5 ms.
    """

    def __init__(self, clock=None, seed=1, bounce_us=5000):
        self._clock = clock
        self._state = seed * 2654435761 & 0x7FFFFFFF or 1
        self._bounce_us = bounce_us
        self._edges = []

    def press(self, at, duration):
        """Press at the time `at` for `duration`, both in microseconds.

        Raises:
            ValueError: the duration is not positive, or it begins before the last press is over.
        """
        if duration <= 0:
            raise ValueError("a press lasts longer than %d microseconds" % duration)
        if self._edges and at < self._edges[-1][0]:
            raise ValueError("the last press is not over at %d" % at)
        self._change(at, 0, min(self._bounce_us, duration // 2))
        self._change(at + duration, 1, self._bounce_us)

    def level(self, now):
        """The pin's level at a time in microseconds."""
        level = 1
        for when, after in self._edges:
            if when > now:
                break
            level = after
        return level

    def edges(self):
        """All changes of the level as (time, level after it), in order: what an interrupt sees."""
        return list(self._edges)

    def __call__(self):
        """The level now, as machine.Pin."""
        return self.level(self._clock())

    def _change(self, at, level, within):
        self._edges.append((at, level))
        when = at
        while True:
            when += 20 + self._dice(within // 4 + 1)
            if when + 20 >= at + within:
                return
            self._edges.append((when, 1 - level))
            when += 20 + self._dice(within // 8 + 1)
            self._edges.append((min(when, at + within), level))

    def _dice(self, sides):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % sides
