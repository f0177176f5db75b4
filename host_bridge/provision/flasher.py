"""Finding a board and writing its flash, with Espressif's `esptool` as a child process.

A process of its own: esptool is under the GPL, and a child that hangs can be ended. Nothing secret
passes through here. Its words are read in one place, `_reason`; the version is pinned.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host_bridge.provision.errors import BoardError, SetupError
from host_bridge.provision.image import IMAGE_OFFSET

Progress = Callable[[float], None]
"""Called with the share that is done, 0 to 1."""

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d)?)\s?%")
_MAC = re.compile(r"^MAC:\s+((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\s*$", re.MULTILINE)
_FLASH = re.compile(r"^Detected flash size:\s+(\S+)\s*$", re.MULTILINE)
_OTHER_CHIP = re.compile(r"This chip is (\S+), not ESP32")
_ENOUGH = {"4MB", "8MB", "16MB", "32MB", "64MB", "128MB"}
_LOST = b"Lost connection"
_FIND_SECONDS = 30.0
_BUSY_SECONDS = 3.0
_WRITE_SECONDS = 300.0


@dataclass(frozen=True)
class Found:
    """A board that answers: its MAC (lower case, with colons) and its flash size ("4MB")."""

    mac: str
    flash: str


class Flasher:
    """The board at `port`.

    Args:
        port: The serial port's device.
        baud: Speed of flashing in bit/s.
        lines: Does the port have DTR and RTS, wired to EN and IO0 as on every development board?
            Without them (a pseudo-terminal, a bare adapter) somebody else puts the chip into its
            boot loader, and it is started through the loader's own command.
    """

    def __init__(self, port: str, *, baud: int, lines: bool) -> None:
        self.port = port
        self._lines = lines
        self._baud = baud

    def find(self) -> Found | None:
        """The board at the port; None while there is no port, or nobody answers.

        Raises:
            SetupError: The port is busy, or this user may not open it.
            BoardError: What answers is no ESP32, or its flash is too small.
        """
        if not Path(self.port).exists():
            return None
        question = (["--no-stub", "--connect-attempts", "1"], ["flash-id"])
        patience = time.monotonic() + _BUSY_SECONDS
        code, said = self._run(*question)
        while _busy(said) and time.monotonic() < patience:
            # What a killed provisioning had started ends by itself, in a moment.
            time.sleep(0.5)
            code, said = self._run(*question)
        mac, flash = _MAC.search(said), _FLASH.search(said)
        if code == 0 and mac and flash:
            if flash[1] not in _ENOUGH:
                raise BoardError(
                    "find",
                    f"The board {mac[1]} has {flash[1]} of flash; 4MB are needed.",
                    kept="Nothing was written.",
                    todo="Take a board with an ESP32-WROOM-32E of 4 MB or more.",
                )
            return Found(mac[1], flash[1])
        if _silent(said):
            return None
        raise self._reason("find", said)

    def write(self, image: bytes, progress: Progress) -> None:
        """Erase the whole flash, write the image, let the chip compare its MD5, start it.

        Raises:
            BoardError: The cable was pulled, the flash does not keep what was written, or anything
                else that esptool reports.
        """
        with tempfile.NamedTemporaryFile(prefix="chequer-", suffix=".bin") as file:
            file.write(image)
            file.flush()
            code, said = self._run(
                ["--baud", str(self._baud), "--after", "hard-reset" if self._lines else "no-reset"],
                ["write-flash", "--erase-all", f"{IMAGE_OFFSET:#x}", file.name],
                seconds=_WRITE_SECONDS,
                progress=progress,
            )
        if code != 0:
            raise self._reason("flash", said)
        if not self._lines:
            code, said = self._run(["--no-stub", "--after", "no-reset"], ["run"])
            if code != 0:
                raise self._reason("flash", said)

    def _run(
        self,
        options: list[str],
        command: list[str],
        *,
        seconds: float = _FIND_SECONDS,
        progress: Progress | None = None,
    ) -> tuple[int, str]:
        """Run esptool; its exit code and all that it said."""
        before = "default-reset" if self._lines else "no-reset"
        after = [] if "--after" in options else ["--after", "no-reset"]
        arguments = ["--chip", "esp32", "--port", self.port, "--before", before, *after]
        child = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "esptool", *arguments, *options, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "500", "PYTHONUNBUFFERED": "1"},
        )
        deadline = threading.Timer(seconds, child.kill)
        deadline.start()
        try:
            said = _listen(child, progress)
            code = child.wait()
        finally:
            deadline.cancel()
            child.kill()
            child.wait()
        return code, said

    def _reason(self, step: str, said: str) -> SetupError | BoardError:
        """What esptool's words mean for the person at the bench."""
        if _busy(said):
            return SetupError(
                f"{self.port} is busy: another program has it open.",
                todo="Close it (a serial monitor, a second provisioning) and start again.",
            )
        if "Permission denied" in said:
            return SetupError(
                f"{self.port}: this user may not open it.",
                todo="Add the user to the group dialout, log in again and start again.",
            )
        kept = "The board keeps its name; nothing secret was on it yet."
        if chip := _OTHER_CHIP.search(said):
            return BoardError(
                step,
                f"This is an {chip[1]}, not an ESP32.",
                kept="Nothing was written and no name was used.",
                todo="Put it aside and take a board with an ESP32-WROOM-32E.",
            )
        if "MD5 of file does not match" in said or "flash region is empty" in said:
            return BoardError(
                step,
                "The flash does not keep what was written (its MD5 differs).",
                kept=kept,
                todo="Try once more; if it happens again, the flash is broken: --scrap the unit.",
            )
        if gone(said) or not Path(self.port).exists():
            return BoardError(
                step,
                "The connection broke off: cable pulled, or the board lost its power.",
                kept=kept,
                todo="Plug the same board in again: it starts from the beginning, same name.",
            )
        return BoardError(
            step,
            f"esptool gave up: {_last_line(said)}",
            kept=kept,
            todo="Unplug the board, check cable and supply, plug it in again.",
        )


def gone(said: str) -> bool:
    """Do these words mean that the port went away under the program?"""
    marks = (
        _LOST.decode(),
        "device disconnected",
        "Input/output error",
        "Errno 5]",
        "Errno 6]",
        "No such device",
    )
    return any(mark in said for mark in marks)


def _busy(said: str) -> bool:
    return "Could not exclusively lock" in said or "Resource busy" in said


def _silent(said: str) -> bool:
    """Nobody speaks the boot loader's protocol there, or the port went away just now."""
    return "Failed to connect" in said or "No such file" in said or gone(said)


def _listen(child: "subprocess.Popen[bytes]", progress: Progress | None) -> str:
    """Read all that the child says, and tell its percentages on the way."""
    assert child.stdout is not None
    said = b""
    while chunk := child.stdout.read1(4096):  # type: ignore[attr-defined]
        said = (said + chunk)[-65_536:]
        if _LOST in said:
            # esptool would go on with whatever is plugged in next; that may be another board.
            child.kill()
        if progress and (shares := _PERCENT.findall(chunk.decode("utf-8", "replace"))):
            progress(min(float(shares[-1]) / 100, 1.0))
    return said.decode("utf-8", "replace")


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if "fatal error" in line.lower()]
    return (fatal or lines or ["it ended without a word"])[-1][:200]
