"""A contact under a seat, to ground behind a pull-up: 0 while somebody sits.

Modelled: sitting down and getting up, bounce after each, a contact that chatters or is stuck.
Not modelled: weight, the pad's slow return.
"""

from sim.chips.noise import Noise


class SeatSwitchModel:
    """The contact, called as a machine.Pin.

    Args:
        clock: microseconds, see `sim.chips`.
        bounce_us: how long the contact bounces after each change.
        seed: of bounce and chatter.

    Attributes:
        fault: None, "chatter" (any level at any moment), "low" (stuck closed) or "high" (open).
    """

    def __init__(self, clock, bounce_us=10_000, seed=1):
        self.fault = None
        self._clock = clock
        self._bounce_us = bounce_us
        self._noise = Noise(seed)
        self._taken = False
        self._quiet_at = clock()

    def sit(self, taken):
        """Somebody sits down (True) or gets up (False)."""
        if taken != self._taken:
            self._taken = taken
            self._quiet_at = self._clock() + self._bounce_us

    def __call__(self):
        """The level now."""
        if self.fault in ("low", "high"):
            return int(self.fault == "high")
        if self.fault == "chatter" or self._clock() < self._quiet_at:
            return self._noise.byte() & 1
        return int(not self._taken)
