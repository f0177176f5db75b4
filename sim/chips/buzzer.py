"""A passive buzzer on a PWM pin: it sounds while frequency and duty are not zero.

Modelled: when which tone began and ended. Not modelled: loudness, resonance.
"""


class Buzzer:
    """Drive it; `tones` is what was heard so far.

    Args:
        clock: microseconds, see `sim.chips`.
    """

    def __init__(self, clock):
        self._clock = clock
        self._tones = []
        self._hz = 0
        self._since = 0

    def drive(self, hz, duty_u16=32768):
        """Set frequency and duty, as machine.PWM; either one being 0 is silence."""
        hz = hz if duty_u16 else 0
        if hz == self._hz:
            return
        now = self._clock()
        if self._hz:
            self._tones.append((self._since, self._hz, (now - self._since) // 1000))
        self._hz, self._since = hz, now

    @property
    def hz(self):
        """The tone that sounds now, 0 for silence."""
        return self._hz

    @property
    def tones(self):
        """Tones that have ended, as (start in microseconds, hertz, milliseconds)."""
        return list(self._tones)
