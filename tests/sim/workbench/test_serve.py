"""Starting and ending: what can't start says why, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sim.vm import ROOT
from tests.processes import works
from tests.services import free_port

COMMAND = [sys.executable, "-m", "sim", "workbench"]


@pytest.mark.parametrize("broker", ["nowhere", ":1883", "host:70000"])
def test_a_wrong_broker_is_explained(tmp_path: Path, broker: str) -> None:
    done = subprocess.run(
        [*COMMAND, "--folder", str(tmp_path / "bench"), "--broker", broker],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "bench").exists()


def test_a_host_that_can_not_start_is_reported_with_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "chequer.db").write_bytes(b"this is no database" * 1000)
    done = subprocess.run(
        [*COMMAND, "--folder", str(tmp_path), "--page", str(free_port())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "the workbench did not start: the cards could not be registered" in done.stderr
    assert "Traceback" not in done.stderr


def test_told_to_end_while_it_starts_it_leaves_no_process(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--folder", str(tmp_path), "--page", str(free_port())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 20
    while not (children := psutil.Process(process.pid).children()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 1
    assert not any(map(works, psutil.wait_procs(children, timeout=5)[1]))
