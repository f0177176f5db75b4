"""A board that runs MicroPython: files, factory test and credentials, over `mpremote`'s transport.

Everything travels through the raw REPL at 115,200 baud. The transport lives in this process, so
credentials touch neither an argument list nor a file of this machine.
"""

import contextlib
import hashlib
import io
import struct
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any

import serial
from mpremote.transport import TransportError  # type: ignore[import-untyped]
from mpremote.transport_serial import SerialTransport  # type: ignore[import-untyped]

from host_bridge.provision.credentials import Credentials
from host_bridge.provision.errors import BoardError
from host_bridge.provision.flasher import Progress
from host_bridge.provision.partitions import FLASH_SIZE, Partition
from host_bridge.provision.results import MAX_OUTPUT, Check, judge
from host_bridge.provision.site import Chips

PN532_DRIVER = """\
from drivers.pn532 import PN532
from drivers.pn532_bus import SPIBus
expected["pn532"] = lambda spi, select, reset: PN532(SPIBus(spi, select), reset)
"""
"""Runs on the board: what the factory test needs of the firmware that has just been copied."""

_BOOT_SECONDS = 20.0
_ANSWER_SECONDS = 5.0
_TEST_SECONDS = 30.0
_CHUNK = 1024
_HEAP = 60_000


class Board:
    """The connection to a board that has just been started. Use it with `with`.

    Args:
        port: The serial port's device.
        hide: Blots secrets out of what a board says before anybody sees it.

    Raises:
        BoardError: Nobody answers, or anything that goes wrong later, with the step's name.
    """

    def __init__(self, port: str, hide: Callable[[str], str]) -> None:
        self._hide = hide
        with self._step("copy"):
            self._transport = _connect(port)

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._transport.close()

    def copy(self, files: dict[str, bytes], progress: Progress) -> None:
        """Write these files (path on the board: content) and compare their SHA-256."""
        total = sum(map(len, files.values())) or 1
        written = 0
        with self._step("copy"):
            for folder in _folders(files):
                self._transport.exec(
                    f"import os\ntry:\n os.mkdir({folder!r})\nexcept OSError:\n pass"
                )
            for path, content in files.items():
                self._put(path, content)
                written += len(content)
                progress(written / total)

    def test(self, mac: str, table: list[Partition], chips: Chips) -> list[Check]:
        """Run the factory test and judge what it says."""
        source = resources.files("host_bridge.provision.on_board") / "factory_test.py"
        expected = {
            "mac": mac,
            "flash": FLASH_SIZE,
            "partitions": {p.label: (p.offset, p.size) for p in table if p.kind == "data"},
            "heap": _HEAP,
            "reader": chips.reader,
            "presence": list(chips.presence),
        }
        driver = PN532_DRIVER if chips.reader == "pn532" else ""
        said = bytearray()

        def hear(data: bytes) -> None:
            said.extend(data)
            if len(said) > MAX_OUTPUT:
                raise TransportError("it said more than a factory test can say")

        with self._step("test"):
            self._transport.exec(source.read_bytes())
            _, error = self._transport.exec_raw(
                f"from board import pins\nexpected = {expected!r}\n{driver}run(pins, expected)",
                timeout=_TEST_SECONDS,
                data_consumer=hear,
            )
            if error:
                said.extend(b"\n")
            return judge(bytes(said), chips)

    def write_credentials(self, credentials: Credentials) -> None:
        """Write `config.json`. Whatever goes wrong, the message is ours and not the board's."""
        try:
            with self._step("credentials"):
                self._put("config.json", credentials.config())
        except BoardError as error:
            if isinstance(error.__cause__, OSError):
                raise
            raise BoardError(
                "credentials",
                "The board did not take its credentials.",
                kept="It keeps its name; the broker's password for it is replaced next time.",
                todo="Unplug the board, plug it in again: it starts from the beginning.",
            ) from None

    def reset(self) -> None:
        """Ask the board to restart and begin its life as a unit.

        No answer is fine: it has all that it needs and starts at the latest with its next power.
        """
        with _quiet(), contextlib.suppress(OSError, TransportError, struct.error):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")

    def _put(self, path: str, content: bytes) -> None:
        with _quiet():
            self._transport.fs_writefile(path, content, chunk_size=_CHUNK)
            digest = self._transport.fs_hashfile(path, "sha256", chunk_size=_CHUNK)
        if digest != hashlib.sha256(content).digest():
            raise _Mismatch(f"{path} differs from what was written")

    @contextlib.contextmanager
    def _step(self, step: str) -> Iterator[None]:
        """Turn everything that can happen to a connection into a `BoardError`."""
        kept = "The board keeps its name."
        try:
            yield
        except (serial.SerialException, OSError) as error:
            if _full(error):
                raise BoardError(
                    step,
                    "The firmware does not fit into the board's file system.",
                    kept=kept,
                    todo="Build the firmware as .mpy files (make firmware) and start again.",
                ) from error
            raise BoardError(
                step,
                "The connection broke off: cable pulled, or the board lost its power.",
                kept=kept,
                todo="Plug the same board in again: it starts from the beginning, same name.",
            ) from error
        except (TransportError, _Mismatch, struct.error, ValueError, SyntaxError) as error:
            text = " ".join(self._hide(str(error)).split())[-200:]
            raise BoardError(
                step,
                f"The board did not do as it was told: {text}",
                kept=kept,
                todo="Unplug the board, plug it in again: it starts from the beginning.",
            ) from error


class _Mismatch(Exception):  # noqa: N818 - a finding, turned into a BoardError
    """What the board has is not what was sent."""


def _folders(files: dict[str, bytes]) -> list[str]:
    """Every folder that the files need, parents first."""
    folders = {str(p) for path in files for p in PurePosixPath(path).parents if str(p) != "."}
    return sorted(folders, key=lambda folder: folder.count("/"))


class _Transport(SerialTransport):  # type: ignore[misc]  # mpremote has no types
    """mpremote's, but a board that says nothing for five seconds is given up."""

    def exec_raw(
        self,
        command: str | bytes,
        timeout: float = _ANSWER_SECONDS,
        data_consumer: Callable[[bytes], None] | None = None,
    ) -> tuple[bytes, bytes]:
        """Run code; what it printed and its traceback."""
        printed, error = super().exec_raw(command, timeout, data_consumer)
        return bytes(printed), bytes(error)


def _connect(port: str) -> Any:
    """Open the port and enter the raw REPL; the board may still be starting."""
    deadline = time.monotonic() + _BOOT_SECONDS
    transport = _Transport(port, timeout=_ANSWER_SECONDS)
    while True:
        try:
            with _quiet():
                transport.enter_raw_repl(soft_reset=False, timeout_overall=2)
                return transport
        except TransportError:
            if time.monotonic() >= deadline:
                transport.close()
                raise
        except BaseException:
            with contextlib.suppress(OSError):
                transport.close()
            raise


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Swallow what mpremote prints when it is surprised: it could be an echo of a secret."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _full(error: OSError) -> bool:
    """ENOSPC from the board's file system."""
    return error.errno == 28
