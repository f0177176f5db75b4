"""How the starts before this one ended: how many failed in a row, on purpose or not, by what crash.

A start has failed unless it lasted a minute. After five in a row the unit starts in safe mode
(`safe.py`). What is kept here is small and rarely written: about three entries a start.
"""

from port import const

from .crash import MOST

GOOD_MS = const(60_000)
"""A start that lasts this long is good."""

RETRY_MS = const(600_000)
"""In safe mode the whole program is tried again after this time."""

_FAILED_MOST = const(5)
_FAILED = "failed"
_CLEAN = "clean"
_CRASH = "crash"


class Starts:
    """The record of starts, in non-volatile settings. What can't be stored is not: it never raises.

    Args:
        nvs: As `esp32.NVS`: `get_i32`, `set_i32`, `get_blob`, `set_blob`, `erase_key`, `commit`.
    """

    def __init__(self, nvs) -> None:
        self._nvs = nvs
        self.failed = self._number(_FAILED)
        """Starts in a row before this one that failed, 5 at the most."""
        self.clean = bool(self._number(_CLEAN))
        """Whether the unit started again on purpose."""
        self.crash = self._text()
        """The last crash that no fact has reported yet, in short; empty if none."""
        self.safe = self.failed >= _FAILED_MOST
        """Whether this start has to be one in safe mode."""

    def begin(self) -> None:
        """Count this start as failed until it proves to be good."""
        self._set(_FAILED, min(self.failed + 1, _FAILED_MOST))
        self._set(_CLEAN, 0)
        self._commit()

    def good(self) -> None:
        """This start has lasted. In safe mode that says nothing about the whole program."""
        if not self.safe:
            self._set(_FAILED, 0)
            self._commit()

    def crashed(self, text: str) -> None:
        """Keep a crash until a fact has reported it; the first one, which led to the others."""
        if self.crash:
            return
        self.crash = text[:MOST]
        self._set(_CRASH, self.crash.encode())
        self._commit()

    def reported(self) -> None:
        """The crash is in a journal."""
        if self.crash:
            self.crash = ""
            self._set(_CRASH, b"")
            self._commit()

    def end(self) -> None:
        """The unit is about to start again on purpose, with its whole program."""
        self._set(_FAILED, 0)
        self._set(_CLEAN, 1)
        self._commit()

    def retry(self) -> None:
        """The same by itself, in safe mode: one more failure leads back."""
        self._set(_FAILED, _FAILED_MOST - 1)
        self._set(_CLEAN, 1)
        self._commit()

    def _number(self, key: str) -> int:
        try:
            return max(0, self._nvs.get_i32(key))
        except OSError:  # a new unit
            return 0

    def _text(self) -> str:
        buffer = bytearray(MOST)
        try:
            length = self._nvs.get_blob(_CRASH, buffer)
        except OSError:
            return ""
        return bytes(c for c in buffer[:length] if 32 <= c < 127).decode()

    def _set(self, key: str, value) -> None:
        try:
            if isinstance(value, bytes):
                self._nvs.set_blob(key, value)
            else:
                self._nvs.set_i32(key, value)
        except OSError:
            pass  # settings that are out of order must not keep the unit from starting

    def _commit(self) -> None:
        try:
            self._nvs.commit()
        except OSError:
            pass
