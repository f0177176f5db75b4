"""A story leaves the process as it found it."""

import logging
from pathlib import Path

from host_bridge.store import sqlite
from tests.sim.virtual.stories import told


def test_log_and_patience_are_as_before_when_a_story_has_been_told(tmp_path: Path) -> None:
    log = logging.getLogger("host_bridge")
    before = log.level, sqlite.BUSY_TIMEOUT_MS
    file = tmp_path / "short.yaml"
    file.write_text("title: A moment\nrequirement: 1.1\nsteps:\n  - wait 1s\n")
    assert told(file).outcome == "passed"
    assert (log.level, sqlite.BUSY_TIMEOUT_MS) == before
    assert sqlite.BUSY_TIMEOUT_MS > 0
