"""What differs between MicroPython and CPython, in one place.

Everything below `desk_unit/` and `drivers/` takes its time from here, so the same source
runs on the desk unit, in unit tests under CPython, and in simulated time.

Times are milliseconds. `ticks_ms` wraps (on the ESP32 after 2**30 ms, about 12 days);
subtract with `ticks_diff` only. Durations of more than 2**29 ms need `clock.Uptime`.
"""

try:
    from asyncio import sleep_ms
    from time import sleep_ms as block_ms
    from time import ticks_add, ticks_diff, ticks_ms, ticks_us

    from micropython import const
except ImportError:
    from port_cpython import (  # type: ignore[no-redef]
        block_ms,
        const,
        sleep_ms,
        ticks_add,
        ticks_diff,
        ticks_ms,
        ticks_us,
    )

__all__ = [
    "block_ms",
    "const",
    "sleep_ms",
    "ticks_add",
    "ticks_diff",
    "ticks_ms",
    "ticks_us",
]
