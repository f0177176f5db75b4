"""One scenario in virtual time, from beginning to end."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from host_bridge.store import sqlite
from sim.scenario.record import Facts, Record, Result
from sim.scenario.story import Scenario
from sim.scenario.tell import tell_in
from sim.virtual import loop
from sim.virtual.conductor import Conductor
from sim.virtual.engine import VirtualClock, VirtualEngine

LONGEST_S = 30 * 86_400.0
"""A story that takes longer has got stuck: a month of virtual time."""


class VirtualWorld:
    """A conductor's time."""

    longest = LONGEST_S

    def __init__(self, conductor: Conductor, *, leave_out: bool = True) -> None:
        self._conductor = conductor
        self._leave_out = leave_out

    def clock(self) -> VirtualClock:
        """The story's."""
        return VirtualClock(self._conductor)

    def engine(
        self, scenario: Scenario, folder: Path, clock: VirtualClock, record: Record
    ) -> VirtualEngine:
        """A site in virtual time."""
        return VirtualEngine(
            self._conductor, scenario, folder, clock, record, leave_out=self._leave_out
        )

    def made(self, engine: VirtualEngine) -> Facts:
        """All that is stored."""
        return engine.facts()


def tell_virtually(scenario: Scenario, keep: Path | None, *, leave_out: bool = True) -> Result:
    """Tell a scenario; nothing in this process may run beside it.

    With `leave_out` the units leave out what changes nothing (sim/virtual/on_vm/idle.py).
    """
    conductor = Conductor()
    with _as_in_a_story():
        return loop.run(
            conductor, tell_in(VirtualWorld(conductor, leave_out=leave_out), scenario, keep)
        )


@contextlib.contextmanager
def _as_in_a_story() -> Iterator[None]:
    """What a story needs to be otherwise in the whole process, and only for its time."""
    log, busy_ms = logging.getLogger("host_bridge"), sqlite.BUSY_TIMEOUT_MS
    level = log.level
    # What the host would write into its log is part of the story where somebody expects it.
    log.setLevel(logging.CRITICAL)
    # A lock that another holds won't go away while we wait in real time.
    sqlite.BUSY_TIMEOUT_MS = 0
    try:
        yield
    finally:
        log.setLevel(level)
        sqlite.BUSY_TIMEOUT_MS = busy_ms
