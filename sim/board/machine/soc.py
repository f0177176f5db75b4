"""The functions of `machine`: resets, identity, clock, the RMT's bit stream."""

import time
from hashlib import sha256

import circuit

_frequency = 160_000_000


def reset_cause():
    """Why the unit started: PWRON_RESET, HARD_RESET, WDT_RESET or SOFT_RESET."""
    return circuit.cause


def unique_id():
    """Six bytes that stand for the factory's MAC: derived from the unit's name."""
    return b"\x24\x0a\xc4" + sha256(circuit.name.encode()).digest()[:3]


def reset():
    """Start again as after a panic or `esp_restart`. Never returns, runs no `finally`."""
    _halt("hard")


def soft_reset():
    """Start the interpreter again. Never returns."""
    _halt("soft")


def _halt(how):
    circuit.tell('{"reset":"%s"}' % how)
    while True:  # the parent ends this process at once
        time.sleep(1)


def freq(hz=None):
    """The CPU's frequency in hertz; setting it changes nothing else here."""
    global _frequency
    if hz is not None:
        if hz not in (20_000_000, 40_000_000, 80_000_000, 160_000_000, 240_000_000):
            raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
        _frequency = hz
    return _frequency


def disable_irq():
    """Interrupt handlers run between bytecodes of one thread here: nothing to hold back."""
    return 0


def enable_irq(state):
    """Counterpart of `disable_irq`."""


def idle():
    """Give the processor away for a moment."""
    time.sleep_ms(1)


def bitstream(pin, encoding, timing, data):
    """Send bits as pulses (WS2812 and relatives); encoding 0 is the only one, as on the chip."""
    if encoding != 0 or len(timing) != 4:
        raise ValueError("bitstream: encoding 0 with four times in nanoseconds")
    strip = circuit.strips.get(pin.gpio)
    if strip:
        strip(bytes(data))
