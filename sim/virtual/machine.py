"""One VM in virtual time, as a child process that runs a step whenever it is asked to."""

import contextlib
import json
import os
import signal
import subprocess
from typing import Any

from sim.vm import ROOT, command

_MARK = b"@step "
_CHUNK = 1 << 16

Input = tuple[int, dict[str, Any]]
"""When (microseconds since the site began), and what."""


class MachineEndedError(Exception):
    """The process has ended by itself, or understands nothing any more."""


class Report:
    """What came of a step: how far the machine is, when it goes on by itself, what it did."""

    __slots__ = ("console", "following", "now", "out")

    def __init__(self, now: int, following: int, out: list[list[Any]], console: list[str]) -> None:
        self.now = now
        self.following = following
        self.out = out
        self.console = console


class Machine:
    """A running VM: `ask`, then `answer`, in turns; the first answer comes unasked.

    Args:
        heap: as MicroPython's `-X heapsize` takes it ("312k").
        words: what it is told first (see sim/virtual/on_vm/main.py).
    """

    def __init__(self, heap: str, words: dict[str, Any]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (our own words)
            command(
                *("-X", f"heapsize={heap}"), str(ROOT / "sim" / "virtual" / "on_vm" / "main.py")
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={"MICROPYPATH": ".frozen", "PATH": os.environ.get("PATH", "")},
            start_new_session=True,  # Ctrl-C on the terminal is for us; we end the VMs
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._down = self._process.stdin.fileno()
        self._up = self._process.stdout.fileno()
        self._data = b""
        self.fresh = True
        """Whether it runs its first step, without being asked: up to where it would wait."""
        self._write(json.dumps(words))

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def ask(self, grant: int, inputs: list[Input]) -> None:
        """Let it run up to and including `grant`, with these inputs on the way."""
        self._write(json.dumps([grant, inputs]) if inputs else f"[{grant},[]]")

    def answer(self) -> Report:
        """Wait for what came of it.

        Raises:
            MachineEndedError: nothing comes any more; its last words are the arguments.
        """
        console: list[str] = []
        out: list[list[Any]] = []
        while True:
            end = self._data.find(b"\n")
            while end < 0:
                more = os.read(self._up, _CHUNK)
                if not more:
                    raise MachineEndedError(*console, self._data.decode(errors="replace"))
                self._data += more
                end = self._data.find(b"\n")
            line, self._data = self._data[:end], self._data[end + 1 :]
            if line.startswith(_MARK):
                self.fresh = False
                more, now, following = json.loads(line[len(_MARK) :])
                out += more
                if following >= 0:
                    return Report(now, following, out, console)
                continue
            console.append(line.decode(errors="replace").rstrip("\r"))

    def kill(self) -> None:
        """End the process at once, as a power cut does. Safe to call twice."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, text: str) -> None:
        data = text.encode()
        try:
            os.write(self._down, b"%06d" % len(data) + data)
        except OSError as error:
            raise MachineEndedError(str(error)) from error
