"""`python -m sim unit`: the control port over TCP, from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sim.commands import Command
from sim.vm import ROOT
from tests.processes import works
from tests.services import Mosquitto


class Caller:
    """A connection to a control port."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self._socket.makefile("rb")

    def say(self, line: bytes) -> Any:
        """Send a line; the next line that comes back."""
        self._socket.sendall(line + b"\n")
        return self.hear()

    def hear(self) -> Any:
        """The next line, None at the end."""
        line = self._file.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


@pytest.fixture
def program(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program and its control port."""
    command = [sys.executable, "-m", "sim", "unit", "--folder", str(tmp_path / "unit")]
    command += ["--broker", f"127.0.0.1:{mosquitto.port}", "--key", "00" * 16]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    match = re.search(r"control port 127\.0\.0\.1:(\d+)", process.stdout.readline())
    assert match
    yield process, int(match[1])
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=15)


@pytest.fixture
def caller(program: tuple[subprocess.Popen[str], int]) -> Iterator[Caller]:
    """Somebody on the control port."""
    caller = Caller(program[1])
    yield caller
    caller.close()


def test_each_command_gets_one_reply_and_the_unit_is_seen(caller: Caller) -> None:
    assert caller.say(b'{"tap":{"uid":"04A1B2C3D4E5F6","ms":200}}') == {"ok": True}
    assert caller.say(b'{"press":{"ms":80}}') == {"ok": True}
    deadline = time.monotonic() + 5
    while not (shown := caller.say(b'{"show":{}}'))["display"]:
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    assert shown["powered"] is True
    assert len(shown["ring"]) == 8
    assert caller.say(b'{"power":"cut"}') == {"ok": True}
    assert caller.say(b'{"show":{}}')["powered"] is False
    assert "no power" in caller.say(b'{"press":{}}')["error"]
    assert caller.say(b'{"power":"on"}') == {"ok": True}


def test_wrong_lines_are_answered_and_the_next_command_still_works(caller: Caller) -> None:
    for line in (b"", b"{", b"\x00\xff", b'{"tap":{}}', b'{"power":"up"}', b'{"fault":{}}'):
        assert "expected" in caller.say(line)["error"]
    unknown = caller.say(b'{"fault":{"chip":"toaster","kind":"none"}}')
    assert "mfrc522" in unknown["error"]
    cascade = caller.say(b'{"put":{"uid":"88A1B2C3"}}')
    assert "cascade tag" in cascade["error"]
    assert caller.say(b'{"show":{}}')["powered"] is True


def test_a_line_without_end_is_answered_and_ends_only_its_own_connection(
    program: tuple[subprocess.Popen[str], int], caller: Caller
) -> None:
    other = Caller(program[1])
    assert "at most" in other.say(b"x" * 10_000)["error"]
    assert other.hear() is None
    other.close()
    assert caller.say(b'{"show":{}}')["powered"] is True


def test_whoever_watches_is_told_of_changes(caller: Caller) -> None:
    assert caller.say(b'{"watch":{}}') == {"ok": True}
    caller.say(b'{"press":{"ms":80}}')
    seen: set[str] = set()
    while not {"ring", "display"} <= seen:
        seen |= set(caller.hear().get("event", {}))


def test_ctrl_c_ends_the_unit_and_leaves_no_process(
    program: tuple[subprocess.Popen[str], int], caller: Caller
) -> None:
    process, _ = program
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert not any(map(works, children))


def test_the_vm_ends_when_its_parent_is_killed(
    program: tuple[subprocess.Popen[str], int], caller: Caller
) -> None:
    process, _ = program
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert not any(map(works, psutil.wait_procs(children, timeout=5)[1]))


def test_every_command_is_named_in_the_help_or_its_page() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sim", "unit", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    for word in Command.__struct_fields__:
        assert word in done.stdout


@pytest.mark.parametrize(
    ("option", "value"),
    [("--key", "xyz"), ("--key", "00"), ("--heap", "lots"), ("--broker", "nowhere")],
)
def test_a_wrong_option_is_explained(tmp_path: Path, option: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sim", "unit", "--folder", str(tmp_path / "unit"), option, value],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "unit").exists()
