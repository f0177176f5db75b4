"""Virtual time: takes the place of MicroPython's `time`, for the whole of a VM.

Time passes when somebody waits, and a microsecond whenever somebody looks, so that loops that wait
for a moment come to an end.
"""

import utime

_AHEAD_MS = 7_200_000
"""asyncio's own code in C wakes tasks "now" by the real clock. Virtual time is ahead of it by more
than any run lasts, so that such a task is always due at once."""

_us = (utime.ticks_ms() + _AHEAD_MS) * 1000
_EPOCH_US = 1_780_000_000_000_000 - _us


def ticks_us():
    """Virtual microseconds; they don't wrap."""
    global _us
    _us += 1
    return _us


def ticks_ms():
    """Virtual milliseconds; they don't wrap."""
    global _us
    _us += 1
    return _us // 1000


def ticks_diff(end, start):
    """From `start` to `end`."""
    return end - start


def ticks_add(ticks, delta):
    """`ticks` moved by `delta`."""
    return ticks + delta


def sleep_ms(ms):
    """Let time pass at once."""
    global _us
    _us += ms * 1000


def sleep_us(us):
    """Let time pass at once."""
    global _us
    _us += us


def sleep(seconds):
    """Let time pass at once."""
    sleep_ms(int(seconds * 1000))


def time():
    """Unix seconds, beginning in 2026."""
    return (_us + _EPOCH_US) // 1_000_000


def time_ns():
    """Unix nanoseconds."""
    return (_us + _EPOCH_US) * 1000


def gmtime(seconds=None):
    """As the ESP32 says it: eight numbers. (This VM's own has a ninth.)"""
    return utime.gmtime(time() if seconds is None else seconds)[:8]


localtime = gmtime
mktime = utime.mktime
