"""A PIR module with a logic output (HC-SR501, AM312): movement in, a level out.

Modelled: false alarms while it warms up, hold time prolonged by movement (repeatable trigger),
blind time after it, an output that is stuck, or a supply that is missing (level 0).
Not modelled: optics, temperature, the single-trigger jumper.

Sources: HC-SR501 and AM312 data sheets.
"""

from sim.chips.noise import Noise

_ALARM_US = 1_000_000


class PIRModel:
    """The output, called as a machine.Pin.

    Args:
        clock: microseconds, see `sim.chips`; the module has power from now on.
        hold_us: how long the output stays high after a movement.
        blind_us: how long it notices nothing after that.
        warm_up_us: how long it gives false alarms now and then after power-on.
        seed: of these.

    Attributes:
        fault: None, "high" (stuck) or "low" (dead).
    """

    def __init__(self, clock, hold_us=2_500_000, blind_us=2_500_000, warm_up_us=30_000_000, seed=1):
        self.fault = None
        self._clock = clock
        self._hold_us = hold_us
        self._blind_us = blind_us
        self._noise = Noise(seed)
        self._warm_at = clock() + warm_up_us
        self._dice_at = clock()
        self._until = clock()  # the output is high before then
        self._sees_at = clock()

    def move(self):
        """Somebody moves in front of it, for a moment."""
        now = self._clock()
        if now >= self._sees_at or now < self._until:
            self._until = now + self._hold_us
            self._sees_at = self._until + self._blind_us

    def __call__(self):
        """The level now."""
        if self.fault:
            return int(self.fault == "high")
        now = self._clock()
        if now < self._warm_at and now >= self._dice_at:
            self._dice_at = now + _ALARM_US
            if self._noise.byte() < 64:
                self.move()
        return int(now < self._until)
