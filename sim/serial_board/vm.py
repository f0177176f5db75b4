"""The board's interpreter: a process of the real MicroPython VM that runs `on_vm/runner.py`."""

import contextlib
import os
import secrets
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sim.serial_board.flash import Flash

_MODULES = Path(__file__).parent / "on_vm"
_RESET = 0xFFFFFFFF


class Vm:
    """One power cycle of the interpreter.

    Args:
        flash: Where its file system and partitions are.
        mac: Six bytes.
        missing: Parts that are not soldered in: "reader", "radar", "display", "button".
        printed: Called with what the code prints.
        finished: Called at the end of the code, with its traceback or b"".
        reset: Called when the code asks for `machine.reset()`.
        died: Called when the process has ended by itself.
    """

    def __init__(
        self,
        flash: Flash,
        mac: bytes,
        missing: frozenset[str],
        *,
        printed: Callable[[bytes], None],
        finished: Callable[[bytes], None],
        reset: Callable[[], None],
        died: Callable[[], None],
    ) -> None:
        self._arguments = [str(flash.path), mac.hex(), ",".join(sorted(missing)) or "none"]
        self._printed = printed
        self._finished = finished
        self._reset = reset
        self._died = died
        self._start()

    def fileno(self) -> int:
        """Readable when `hear` has something to do."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def hear(self) -> None:
        """Take in what the process has said."""
        data = os.read(self.fileno(), 65_536)
        if not data:
            self._died()
            return
        self._said += data
        at = self._said.find(self._mark)
        if at < 0:
            safe = len(self._said) - len(self._mark)
            if safe > 0:
                self._printed(bytes(self._said[:safe]))
                del self._said[:safe]
        elif len(self._said) >= at + len(self._mark) + 4:
            self._end(at)

    def execute(self, code: bytes) -> None:
        """Run this text in the board's globals."""
        assert self._process.stdin is not None
        self._process.stdin.write(struct.pack("<I", len(code)) + code)
        self._process.stdin.flush()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the code."""
        self._process.send_signal(signal.SIGINT)

    def soft_reset(self) -> None:
        """Begin anew: variables are gone, files stay."""
        self.close()
        self._start()

    def close(self) -> None:
        """End the process at once, as a power cut does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _start(self) -> None:
        self._mark = secrets.token_bytes(16)
        self._said = bytearray()
        self._process = subprocess.Popen(  # noqa: S603 - the VM installed beside this interpreter
            [
                str(Path(sys.executable).parent / "micropython"),
                "-X",
                "heapsize=224k",
                str(_MODULES / "runner.py"),
                self._mark.hex(),
                *self._arguments,
            ],
            env={**os.environ, "MICROPYPATH": f"{_MODULES}:.frozen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def _end(self, at: int) -> None:
        """The mark, the length of the traceback, the traceback."""
        start = at + len(self._mark) + 4
        (size,) = struct.unpack_from("<I", self._said, start - 4)
        if size == _RESET:
            self._reset()
        elif len(self._said) >= start + size:
            printed, error = bytes(self._said[:at]), bytes(self._said[start : start + size])
            del self._said[: start + size]
            self._printed(printed)
            self._finished(error)
