"""What differs between MicroPython and CPython, in one place.

Everything below `desk_unit/` and `drivers/` takes its time from here, so the same source
runs on the desk unit, in unit tests under CPython, and in simulated time.

Times are milliseconds. `ticks_ms` wraps (on the ESP32 after 2**30 ms, about 12 days);
subtract with `ticks_diff` only. Durations of more than 2**29 ms need `clock.Uptime`.
"""

import asyncio
import time

try:
    from micropython import const
    from time import ticks_add, ticks_diff, ticks_ms, ticks_us

    sleep_ms = asyncio.sleep_ms
    block_ms = time.sleep_ms
except ImportError:  # CPython
    _PERIOD = 1 << 30
    _HALF = _PERIOD >> 1

    def const(value: int) -> int:
        """MicroPython's compiler folds what is marked with this; CPython has no need."""
        return value

    def ticks_ms() -> int:
        """Milliseconds since an arbitrary moment, modulo 2**30."""
        return (time.monotonic_ns() // 1_000_000) & (_PERIOD - 1)

    def ticks_us() -> int:
        """Microseconds since an arbitrary moment, modulo 2**30."""
        return (time.monotonic_ns() // 1_000) & (_PERIOD - 1)

    def ticks_diff(end: int, start: int) -> int:
        """Signed ticks from `start` to `end`, within half a period either way."""
        return ((end - start + _HALF) & (_PERIOD - 1)) - _HALF

    def ticks_add(ticks: int, delta: int) -> int:
        """`ticks` moved by `delta`, wrapped."""
        return (ticks + delta) & (_PERIOD - 1)

    async def sleep_ms(ms: int) -> None:
        """Let other tasks run for at least `ms` milliseconds."""
        await asyncio.sleep(ms / 1000)

    def block_ms(ms: int) -> None:
        """Block everything for `ms` milliseconds (chip reset delays at start-up only)."""
        time.sleep(ms / 1000)
