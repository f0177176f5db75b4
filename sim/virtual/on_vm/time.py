"""Virtual time: takes the place of MicroPython's `time`, for the whole of a VM.

Time passes when somebody waits, never when somebody works. It is the site's own time, in
microseconds since the site began, so that every machine tells the same.
"""

import utime

_BASE_US = 1_000_000
"""Ticks at the site's beginning: a unit's ticks don't begin at 0 either."""

_AHEAD_MS = utime.ticks_ms() + (1 << 27)
"""asyncio's own code in C wakes tasks "now" by the machine's clock, modulo 2**30 ms. What asyncio
is told is ahead of that by more than a run lasts (a day and a half), so such a task is always due
at once, in the order of waking. Nobody else sees these figures, which differ from run to run."""

_LOOKS = 20_000
"""So many looks at the clock without a wait are somebody who waits for a moment by looking."""

look_us = 0
"""What a look at the clock takes, for tests in which work takes time."""

_us = _BASE_US
_looks = 0
_epoch_us = 0


def begin(us, unix_us):
    """It is `us` microseconds since the site began, at `unix_us` Unix microseconds."""
    global _us, _epoch_us
    _us = _BASE_US + us
    _epoch_us = unix_us - _us


def site_us():
    """Microseconds since the site began; looking at it is no sign of waiting."""
    return _us - _BASE_US


def go_to(us):
    """Let time pass up to `us` microseconds since the site began; never backwards."""
    global _us, _looks
    _looks = 0
    _us = max(_us, us + _BASE_US)


def go_back(us):
    """Begin once more at `us` microseconds since the site began (see `relive` in `idle.py`)."""
    global _us
    _us = us + _BASE_US


def site_us_of(ms):
    """What `loop_ms` gives, as microseconds since the site began."""
    return (ms - _AHEAD_MS) * 1000 - _BASE_US


def loop_ms():
    """Milliseconds for asyncio's own use (see `_AHEAD_MS`)."""
    return _us // 1000 + _AHEAD_MS


def upcoming_ms():
    """As `loop_ms`, but the first millisecond of which nothing has passed."""
    return -(-_us // 1000) + _AHEAD_MS


def ticks_us():
    """Virtual microseconds; they don't wrap."""
    global _us, _looks
    _looks += 1
    _us += look_us if _looks <= _LOOKS else 1000
    return _us


def ticks_ms():
    """Virtual milliseconds; they don't wrap."""
    global _us, _looks
    _looks += 1
    _us += look_us if _looks <= _LOOKS else 1000
    return _us // 1000


def ticks_diff(end, start):
    """From `start` to `end`."""
    return end - start


def ticks_add(ticks, delta):
    """`ticks` moved by `delta`."""
    return ticks + delta


def sleep_ms(ms):
    """Let time pass at once."""
    sleep_us(ms * 1000)


def sleep_us(us):
    """Let time pass at once."""
    global _us, _looks
    _looks = 0
    _us += us


def sleep(seconds):
    """Let time pass at once."""
    sleep_ms(int(seconds * 1000))


def time():
    """Unix seconds."""
    return (_us + _epoch_us) // 1_000_000


def time_ns():
    """Unix nanoseconds."""
    return (_us + _epoch_us) * 1000


def gmtime(seconds=None):
    """Eight figures, as on the ESP32; the Unix port adds whether summer time is kept."""
    return utime.gmtime(time() if seconds is None else seconds)[:8]


localtime = gmtime


def mktime(date):
    """Unix seconds of eight figures."""
    return utime.mktime(tuple(date) + (0,) if len(date) == 8 else date)
