"""How much of this machine each part of a fleet takes."""

import os
import time
from collections.abc import Mapping, Sequence

import msgspec
import psutil


class Use(msgspec.Struct, frozen=True):
    """What a part took over a while.

    Attributes:
        processes: how many there are of it.
        cores: processor time for each second, all its processes together; 1.0 is one core busy.
        memory: its share of memory in bytes; pages that processes share are counted once (PSS).
    """

    processes: int
    cores: float
    memory: int


class Meter:
    """Measures from its making until `read`.

    Args:
        parts: what a part is called -> its processes. They must live on until `read`; one that
            has ended, or was started again, counts with what can still be read of it.
    """

    def __init__(self, parts: Mapping[str, Sequence[int]]) -> None:
        self._parts = parts
        self._began = time.monotonic()
        self._before = {pid: _seconds(pid) for pids in parts.values() for pid in pids}

    def read(self) -> dict[str, Use]:
        """What each part took."""
        took = {pid: max(0.0, _seconds(pid) - spent) for pid, spent in self._before.items()}
        lasted = time.monotonic() - self._began
        return {
            part: Use(
                processes=len(pids),
                cores=sum(took[pid] for pid in pids) / lasted,
                memory=sum(_share(pid) for pid in pids),
            )
            for part, pids in self._parts.items()
        }


def spent(parts: Mapping[str, Sequence[int]]) -> float:
    """Seconds of processor time that all parts have taken since they were started."""
    return sum(_seconds(pid) for pids in parts.values() for pid in pids)


def share_of_machine(uses: Mapping[str, Use]) -> float:
    """Processor time of all parts, of all that this process may use; 1.0 is all of it."""
    return sum(use.cores for use in uses.values()) / len(os.sched_getaffinity(0))


def _seconds(pid: int) -> float:
    # A process's own clock counts nanoseconds, /proc/PID/stat hundredths of a second, and a small
    # fleet's broker takes less than one. The clock's number is made of the process's as in Linux's
    # include/linux/posix-timers.h; 2 is the time of all threads (CPUCLOCK_SCHED).
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _share(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0
