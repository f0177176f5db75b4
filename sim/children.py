"""The demo's child processes: started, watched, and ended one by one by their own process ids."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from sim.vm import ROOT

_TERM_S = 4.0
_LAST = 15


class ChildFailedError(Exception):
    """A process ended that should have gone on. The message has its last lines."""


class Child:
    """One process; what it says goes to a log file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.returncode

    async def watch(self) -> None:
        """Wait until it ends, which is an error.

        Raises:
            ChildFailedError: it ended.
        """
        code = await self._process.wait()
        raise ChildFailedError(
            f"{self.name} ended unexpectedly (exit code {code}). Its last lines, all are in "
            f"{self._log}:\n{self.last_lines()}"
        )

    async def wait(self) -> int:
        """Wait until it ends; its exit code."""
        return await self._process.wait()

    def log(self) -> str:
        """All that it said."""
        return self._log.read_text(errors="replace")

    def last_lines(self) -> str:
        """The end of what it said."""
        return "\n".join(self.log().splitlines()[-_LAST:])

    def signal(self, number: signal.Signals) -> None:
        """Send it, and what it started itself, a signal; one that has ended gets none."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)  # it leads a session of its own, see `start`

    async def kill(self) -> None:
        """SIGKILL, as a power cut."""
        self.signal(signal.SIGKILL)
        await self._process.wait()

    async def end(self) -> None:
        """SIGTERM, and SIGKILL when it does not go."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), _TERM_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


async def start(name: str, command: list[str], folder: Path) -> Child:
    """Start a program with the project's folder as the working folder."""
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C is for the demo alone, which ends them in order
        )
    return Child(name, process, log)
