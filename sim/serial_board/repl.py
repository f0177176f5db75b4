r"""MicroPython's REPL on the wire: friendly, raw, and raw-paste (docs: "The MicroPython REPL").

In raw mode text is collected until Ctrl-D and executed: the answer is `OK`, what was printed, 04,
the traceback, 04, `>`. Raw-paste (05 `A` 01) answers `R` 01 with a window of 128 bytes, grants a
further window with 01 each time one was taken, and acknowledges the end with 04.
"""

import struct
from collections.abc import Callable
from typing import Protocol

BANNER = b"\r\nMicroPython v1.28.0 on 2026-01-01; Generic ESP32 module with ESP32\r\n>>> "
_RAW = b"raw REPL; CTRL-B to exit\r\n>"
_WINDOW = 128


class Executor(Protocol):
    """Where code runs."""

    def execute(self, code: bytes) -> None:
        """Begin to run; the end is told to `Repl.finished`."""

    def interrupt(self) -> None:
        """Ctrl-C."""

    def soft_reset(self) -> None:
        """Forget every variable; the files stay."""


class Repl:
    """The REPL of one running board.

    Args:
        vm: Where code runs.
        send: Takes what goes onto the wire.
        raw_paste: Is raw-paste supported, or refused with `R` 00?
    """

    def __init__(self, vm: Executor, send: Callable[[bytes], None], *, raw_paste: bool) -> None:
        self._vm = vm
        self._send = send
        self._raw_paste = raw_paste
        self._raw = False
        self._paste = False
        self._busy = False
        self._wish = b""
        self._code = bytearray()
        self._taken = 0
        self._waiting = b""

    def feed(self, data: bytes) -> None:
        """Bytes from the host. While code runs only Ctrl-C is heard, the rest waits."""
        for at, byte in enumerate(data):
            if self._busy:
                rest = data[at:]
                if b"\x03" in rest:
                    self._vm.interrupt()
                self._waiting += rest.replace(b"\x03", b"")
                return
            if self._paste:
                self._paste_byte(byte)
            elif self._raw:
                self._raw_byte(byte)
            else:
                self._friendly_byte(byte)

    def printed(self, data: bytes) -> None:
        """What the running code prints; the chip's console ends lines with CR LF."""
        self._send(data.replace(b"\n", b"\r\n"))

    def finished(self, error: bytes) -> None:
        """The code has ended, with this traceback or b""."""
        self._send(b"\x04" + error.replace(b"\n", b"\r\n") + b"\x04>")
        self._busy = False
        waiting, self._waiting = self._waiting, b""
        self.feed(waiting)

    def _friendly_byte(self, byte: int) -> None:
        if byte == 0x01:
            self._raw = True
            self._send(_RAW)
        elif byte == 0x02:
            self._send(BANNER)
        elif byte == 0x03:
            self._send(b"\r\n>>> ")
        elif byte == 0x04:
            self._vm.soft_reset()
            self._send(b"\r\nMPY: soft reboot" + BANNER)
        elif byte == 0x0D:
            self._send(b"\r\n>>> ")
        else:
            self._send(bytes((byte,)))  # the echo of what is typed

    def _raw_byte(self, byte: int) -> None:
        if self._wish or byte == 0x05:
            self._ask_paste(byte)
        elif byte == 0x01:
            self._code.clear()
            self._send(_RAW)
        elif byte == 0x02:
            self._raw = False
            self._code.clear()
            self._send(BANNER)
        elif byte == 0x03:
            self._code.clear()
        elif byte == 0x04:
            self._send(b"OK")
            self._run()
        else:
            self._code.append(byte)

    def _ask_paste(self, byte: int) -> None:
        """05 A 01, one byte after the other."""
        self._wish += bytes((byte,))
        if len(self._wish) < 3:
            return
        wish, self._wish = self._wish, b""
        if wish == b"\x05A\x01" and self._raw_paste:
            self._paste, self._taken = True, 0
            self._code.clear()
            self._send(b"R\x01" + struct.pack("<H", _WINDOW) + b"\x01")
        else:
            self._send(b"R\x00")

    def _paste_byte(self, byte: int) -> None:
        if byte == 0x04:
            self._paste = False
            self._send(b"\x04")
            self._run()
            return
        self._code.append(byte)
        self._taken += 1
        if self._taken % _WINDOW == 0:
            self._send(b"\x01")

    def _run(self) -> None:
        code = bytes(self._code)
        self._code.clear()
        if code.strip():
            self._busy = True
            self._vm.execute(code)
        else:
            self._vm.soft_reset()
            self._send(b"\r\nMPY: soft reboot\r\n" + _RAW)
