"""Read by a Python that starts with this folder in PYTHONPATH: what a test hands in from outside.

`CHEQUER_TEST_CLOCK` names a file of eight bytes: nanoseconds (little-endian, signed) by which the
wall clock is wrong; it may be changed while the process runs. `CHEQUER_TEST_HANG` lets the process
stop (SIGSTOP) where a fault point would kill it.
"""

import mmap
import os
import signal
import time
from pathlib import Path


def _hand_in_the_clock(file: Path) -> None:
    with file.open("rb") as opened:
        wrong = mmap.mmap(opened.fileno(), 8, access=mmap.ACCESS_READ)
    right = time.time_ns

    def time_ns() -> int:
        return right() + int.from_bytes(wrong[:8], "little", signed=True)

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


def _hang_instead_of_dying() -> None:
    kill = os.kill

    def stop(pid: int, which: int) -> None:
        own_death = pid == os.getpid() and which == signal.SIGKILL
        kill(pid, signal.SIGSTOP if own_death else which)

    os.kill = stop


if clock := os.environ.get("CHEQUER_TEST_CLOCK"):
    _hand_in_the_clock(Path(clock))
if os.environ.get("CHEQUER_TEST_HANG"):
    _hang_instead_of_dying()
