"""The host's clocks, handed in so that a whole site can run in virtual time."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that only goes forward, and the wall's."""

    def seconds(self) -> float:
        """Seconds since some moment; never set back."""

    def unix_ms(self) -> int:
        """Unix milliseconds."""


class SystemClock:
    """This machine's clocks."""

    def seconds(self) -> float:
        """As `time.monotonic`."""
        return time.monotonic()

    def unix_ms(self) -> int:
        """As the system has it."""
        return time.time_ns() // 1_000_000


SYSTEM = SystemClock()
