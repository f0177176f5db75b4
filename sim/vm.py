"""One MicroPython VM as a child process: lines in, lines out, ended by its own process id.

The VM writes `@sim {...}` lines for us; everything else on its standard output is the firmware's
console.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The folder of sources, which the VM sees read-only."""

_LAUNCH = "import sys; sys.path.append(sys.argv.pop(1)); from micropython_unix import main; main()"
_MARK = b"@sim "
_LIMIT = 1 << 16
_REPLY_S = 10.0

Message = dict[str, Any]


def command(*words: str) -> list[str]:
    """How the MicroPython VM is started; `words` are its own arguments.

    The VM is a module of CPython's. Without `-S` each start would go through all that is installed,
    which takes as much of the processor as the VM's own start.
    """
    found = importlib.util.find_spec("micropython_unix")
    if found is None or found.origin is None:
        raise VmError("the MicroPython VM is not installed: `make run` installs it")
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(Path(found.origin).parent), *words]


class VmError(Exception):
    """The VM refused a command, or is gone. The message says which and why."""


class Vm:
    """A running VM.

    Args:
        heap: its memory, as MicroPython's `-X heapsize` takes it ("224k").
        on_message: called with each `@sim` message that is not a reply.
        on_console: called with each line of the firmware's console.
        on_exit: called once when the process is gone, however that came.
    """

    def __init__(
        self,
        heap: str,
        on_message: Callable[[Message], None],
        on_console: Callable[[str], None],
        on_exit: Callable[[], None],
    ) -> None:
        self._heap = heap
        self._on_message = on_message
        self._on_console = on_console
        self._on_exit = on_exit
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._replies: dict[int, asyncio.Future[Message]] = {}
        self._last = 0

    @property
    def pid(self) -> int | None:
        """The process, None before `start`."""
        return self._process.pid if self._process else None

    async def start(self, words: Message) -> None:
        """Start, and hand the VM its first line (see sim/board/start.py)."""
        self._process = await asyncio.create_subprocess_exec(
            *command("-X", f"heapsize={self._heap}", str(ROOT / "sim" / "board" / "start.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env={"MICROPYPATH": ".frozen", "PATH": os.environ.get("PATH", "")},
            limit=_LIMIT,
            start_new_session=True,  # Ctrl-C on the terminal is for us; we end the VMs
        )
        self._write(words)
        self._reader = asyncio.create_task(self._read())

    async def ask(self, command: Message) -> Message:
        """Send a command and wait for its reply.

        Raises:
            VmError: it was refused, the VM ended, or did not answer in ten seconds (firmware
                that never lets others run).
        """
        self._last += 1
        number = self._last
        reply: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            self._write({"id": number, **command})
            message = await asyncio.wait_for(reply, _REPLY_S)
        except TimeoutError:
            raise VmError(
                f"the firmware did not let the simulator run for {_REPLY_S:.0f} s"
            ) from None
        finally:
            self._replies.pop(number, None)
        if "error" in message:
            raise VmError(str(message["error"]))
        return message

    async def kill(self) -> None:
        """End the process at once, as a power cut does. Safe to call twice."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        if self._reader and self._reader is not asyncio.current_task():
            await self._reader

    def _write(self, message: Message) -> None:
        if self._process is None or self._process.returncode is not None:
            raise VmError("the VM is not running")
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:  # a line without end; the stream has dropped what it had of it
                self._on_console("(a console line of more than 64 KiB was left out)")
                continue
            if not line:
                break
            self._take(line)
        await self._process.wait()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(VmError("the VM ended before it answered"))
        self._on_exit()

    def _take(self, line: bytes) -> None:
        message = None
        if line.startswith(_MARK):
            with contextlib.suppress(ValueError):
                message = json.loads(line[len(_MARK) :])
        if not isinstance(message, dict):
            self._on_console(line.decode(errors="replace").rstrip("\r\n"))
        elif "id" in message:
            reply = self._replies.get(message["id"])
            if reply and not reply.done():
                reply.set_result(message)
        else:
            self._on_message(message)
