"""What waits in the unit's flash, read from its files with the firmware's own journal.

The files are read whole and never written: what mounting writes goes to the copy in memory.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from sim.board import flash_map
from sim.vm import ROOT

LANES = {"button": "button", "journal": "ordinary"}
"""Partition -> the lane whose facts it keeps."""

_TABLE = flash_map.load(str(ROOT / "hardware" / "partitions.csv"))
SIZES = {label: _TABLE[label][3] for label in LANES}
"""Partition -> its size in bytes, as on the board."""

MOST = 60
"""Facts of a lane that are shown, the newest."""

_WALK = 2000
_BLOCK = 4096


class Copy:
    """A partition in memory, with the extended block interface; it begins as a file's content."""

    def __init__(self, content: bytes, size: int) -> None:
        self._data = bytearray(content[:size].ljust(size, b"\xff"))

    def ioctl(self, op: int, arg: int) -> int:
        """4: number of blocks, 5: their size, 6: erase a block."""
        if op == 6:
            self._data[arg * _BLOCK : (arg + 1) * _BLOCK] = b"\xff" * _BLOCK
        return {4: len(self._data) // _BLOCK, 5: _BLOCK}.get(op, 0)

    def readblocks(self, block: int, buf: Any, offset: int = 0) -> None:
        """Fill a buffer."""
        start = block * _BLOCK + offset
        buf[:] = self._data[start : start + len(buf)]

    def writeblocks(self, block: int, buf: Any, offset: int = 0) -> None:
        """Program the copy."""
        start = block * _BLOCK + offset
        self._data[start : start + len(buf)] = buf


class Flash:
    """The unit's flash, below the folder `soc` of its files."""

    def __init__(self, soc: Path) -> None:
        self._soc = soc
        self._stamp: list[tuple[int, int]] = []
        if str(ROOT / "firmware") not in sys.path:
            sys.path.append(str(ROOT / "firmware"))
        self._journal = importlib.import_module("desk_unit.journal")
        self._facts = importlib.import_module("desk_unit.facts")

    @property
    def boot(self) -> int | None:
        """The boot number that the unit keeps; None when it has none yet."""
        try:
            return int((self._soc / "nvs" / "chequer.boot.i32").read_bytes())
        except (OSError, ValueError):
            return None

    def changed(self) -> bool:
        """Whether there may be something else in flash than at the last call."""
        before, self._stamp = self._stamp, [self._look(name) for name in SIZES]
        return before != self._stamp

    def lanes(self) -> list[dict[str, Any]]:
        """Each lane: how many facts wait, the newest of them, and what the journal says."""
        return [self._lane(name) for name in LANES]

    def _look(self, name: str) -> tuple[int, int]:
        try:
            found = (self._soc / f"{name}.flash").stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)

    def _lane(self, name: str) -> dict[str, Any]:
        lane: dict[str, Any] = {"name": LANES[name], "waiting": 0, "dropped": 0, "facts": []}
        try:
            content = (self._soc / f"{name}.flash").read_bytes()
        except FileNotFoundError:
            return lane
        except OSError as error:
            return {**lane, "fault": f"can't be read: {error.strerror}"}
        try:
            journal = self._journal.Journal(Copy(content, SIZES[name]))
            journal.mount()
            facts = self._waiting(journal)
        except (OSError, ValueError, IndexError) as error:
            return {**lane, "fault": f"can't be understood: {error}"}
        return {**lane, "waiting": journal.waiting, "dropped": journal.dropped, "facts": facts}

    def _waiting(self, journal: Any) -> list[dict[str, Any]]:
        """The newest facts that wait, the newest first."""
        facts: list[dict[str, Any]] = []
        cursor, steps = journal.floor, 0
        while steps < _WALK and (fact := journal.read(cursor)):
            cursor, steps = fact[0], steps + 1
            facts.append(fact)
            del facts[:-MOST]
        return [self._words(fact) for fact in reversed(facts)]

    def _words(self, fact: Any) -> dict[str, Any]:
        try:
            # Boot 0 is none that a fact may have, so no age is worked out: nothing here knows it.
            known: dict[str, Any] = json.loads(self._facts.encode("", 0, 0, fact))
        except (ValueError, IndexError, ArithmeticError):
            known = {"type": "?", "boot": fact[2], "seq": fact[3], "up": fact[4]}
        known.pop("unit", None)
        return known
