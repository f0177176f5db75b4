"""Ticks that begin again at 0 soon, as a unit's do after it has run for 12.4 days.

On the ESP32 they are counted modulo 2**30 from each start on; this VM's own never wrap.
"""

import port

_PERIOD = 1 << 30


def install(left_ms):
    """Let the program's ticks wrap after so long; it must not have been loaded yet."""
    ms, us = port.ticks_ms, port.ticks_us
    ahead_ms = _PERIOD - left_ms - ms()
    port.ticks_ms = lambda: (ms() + ahead_ms) % _PERIOD
    port.ticks_us = lambda: (us() + 1000 * ahead_ms) % _PERIOD
    port.ticks_add = lambda ticks, delta: (ticks + delta) % _PERIOD
    port.ticks_diff = lambda end, start: (end - start + _PERIOD // 2) % _PERIOD - _PERIOD // 2
