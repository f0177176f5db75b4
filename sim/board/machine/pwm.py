"""`machine.PWM` of the ESP32."""

import circuit

_HIGHEST = 40_000_000


class PWM:
    """Pulses on a pin: the buzzer's tone, the lamp's brightness."""

    def __init__(self, dest, *, freq=5000, duty=None, duty_u16=None, duty_ns=None, invert=False):
        self._gpio = dest.gpio
        self._freq = 5000
        self._duty = 0x8000
        self.init(freq=freq, duty=duty, duty_u16=duty_u16, duty_ns=duty_ns)

    def init(self, *, freq=None, duty=None, duty_u16=None, duty_ns=None, invert=False):
        """Set what is given, and run."""
        if freq is not None:
            if not 0 < freq <= _HIGHEST:
                raise ValueError("frequency must be from 1Hz to 40MHz")
            self._freq = freq
        if duty is not None:
            duty_u16 = duty << 6
        if duty_ns is not None:
            duty_u16 = duty_ns * self._freq * 0x10000 // 1_000_000_000
        if duty_u16 is not None:
            self._duty = min(max(duty_u16, 0), 0xFFFF)
        self._put()

    def freq(self, hz=None):
        """Read or set the frequency in hertz."""
        if hz is None:
            return self._freq
        return self.init(freq=hz)

    def duty_u16(self, duty=None):
        """Read or set the duty cycle, 0 to 65535."""
        if duty is None:
            return self._duty
        return self.init(duty_u16=duty)

    def duty(self, duty=None):
        """Read or set the duty cycle, 0 to 1023."""
        if duty is None:
            return self._duty >> 6
        return self.init(duty=duty)

    def deinit(self):
        """Stop: the pin is low."""
        self._duty = 0
        self._put()

    def _put(self):
        hears = circuit.hears.get(self._gpio)
        if hears:
            hears((self._freq, self._duty) if self._duty else 0)
