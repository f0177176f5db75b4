"""`machine.Pin` of the ESP32."""

import circuit

_INPUT_ONLY = 34
_LAST = 39


class Pin:
    """One GPIO. As on the ESP32 there is one object per GPIO, however often it is asked for."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = circuit.RISING
    IRQ_FALLING = circuit.FALLING
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    _all = {}

    def __new__(cls, gpio, *args, **kwargs):  # noqa: ARG004 (they are for __init__)
        """The object of this GPIO, a new one the first time."""
        if isinstance(gpio, Pin):
            return gpio
        if not 0 <= gpio <= _LAST or gpio in (20, 24, 28, 29, 30, 31):
            raise ValueError("invalid pin")
        if 6 <= gpio <= 11:
            raise ValueError("GPIO %d belongs to the flash chip" % gpio)
        if gpio not in cls._all:
            pin = super().__new__(cls)
            pin.gpio = gpio
            pin._mode = pin._pull = None
            pin._latch = 0
            cls._all[gpio] = pin
        return cls._all[gpio]

    def __init__(self, gpio, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        """Set mode, pull and level; what is left out stays as it is."""
        if mode in (self.OUT, self.OPEN_DRAIN) and self.gpio >= _INPUT_ONLY:
            raise ValueError("pin can only be input")
        if pull in (self.PULL_UP, self.PULL_DOWN) and self.gpio >= _INPUT_ONLY:
            raise ValueError("GPIO %d has no pulls" % self.gpio)
        if pull != -1:
            self._pull = pull
        if mode != -1:
            self._mode = mode
        if value is not None:
            self._latch = None
            self.value(value)

    def value(self, level=None):
        """Read the pin, or set its output."""
        if level is None:
            if self._mode == self.OUT or (self._mode == self.OPEN_DRAIN and not self._latch):
                return self._latch or 0
            level = circuit.levels.get(self.gpio)
            if callable(level):
                level = level()
            return int(self._pull == self.PULL_UP) if level is None else level
        level = int(bool(level))
        if level != self._latch:
            self._latch = level
            hears = circuit.hears.get(self.gpio)
            if hears:
                hears(level)
        return None

    __call__ = value

    def on(self):
        """High."""
        self.value(1)

    def off(self):
        """Low."""
        self.value(0)

    def toggle(self):
        """The other level."""
        self.value(not self._latch)

    def irq(self, handler=None, trigger=circuit.RISING | circuit.FALLING, wake=None):
        """Call `handler(pin)` through the scheduler on these edges; None ends it."""
        if handler is None:
            circuit.handlers.pop(self.gpio, None)
        else:
            circuit.handlers[self.gpio] = (handler, trigger, self)
        return self

    def __repr__(self):
        return "Pin(%d)" % self.gpio
