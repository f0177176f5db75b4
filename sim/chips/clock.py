"""Clocks to hand to chip models."""

import time


def real_us():
    """Microseconds of real time that neither wrap nor go back."""
    try:
        return time.monotonic_ns() // 1000
    except AttributeError:  # MicroPython; on a 64-bit machine its ticks never wrap in practice
        return time.ticks_us()


class ManualClock:
    """Simulated time: microseconds that pass only when told."""

    def __init__(self, now=0):
        self.now = now

    def __call__(self):
        """The time now, in microseconds."""
        return self.now

    def pass_ms(self, ms):
        """Let so many milliseconds pass."""
        self.now += ms * 1000
