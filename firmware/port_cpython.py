"""MicroPython's clock and sleep on CPython, for unit tests and tools; never copied to a unit."""

import asyncio
import time

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
