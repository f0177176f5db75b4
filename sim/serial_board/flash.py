"""4 MiB of NOR flash in a file: an erase sets whole sectors to FF, a write can only clear bits."""

import hashlib
import mmap
import os
from pathlib import Path

SIZE = 4 * 1024 * 1024
SECTOR = 4096


class Flash:
    """The flash whose content is the file at `path`, made when it does not exist.

    Attributes:
        stuck: Addresses of broken bytes, whose bits do not change any more (a fault).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stuck: set[int] = set()
        if not path.exists():
            path.write_bytes(b"\xff" * SIZE)
        self._file = os.open(path, os.O_RDWR)
        self._cells = mmap.mmap(self._file, SIZE)

    def close(self) -> None:
        """Let go of the file, which keeps the content."""
        self._cells.close()
        os.close(self._file)

    def read(self, offset: int, size: int) -> bytes:
        """The bytes there."""
        return self._cells[offset : offset + size]

    def erase(self, offset: int, size: int) -> None:
        """Set every sector that the range touches to FF."""
        start = offset // SECTOR * SECTOR
        end = min(-(-(offset + size) // SECTOR) * SECTOR, SIZE)
        self._store(start, b"\xff" * (end - start))

    def write(self, offset: int, data: bytes) -> None:
        """Clear the bits that are 0 in `data`.

        Raises:
            ValueError: The range lies beyond the flash.
        """
        if offset + len(data) > SIZE:
            raise ValueError(f"{offset:#x} + {len(data):#x} is beyond the flash")
        old = int.from_bytes(self.read(offset, len(data)), "big")
        new = old & int.from_bytes(data, "big")
        self._store(offset, new.to_bytes(len(data), "big"))

    def md5(self, offset: int, size: int) -> bytes:
        """The digest of a range, as the boot loader computes it."""
        return hashlib.md5(self.read(offset, size), usedforsecurity=False).digest()

    def _store(self, offset: int, data: bytes) -> None:
        kept = {at: self._cells[at] for at in self.stuck if offset <= at < offset + len(data)}
        self._cells[offset : offset + len(data)] = data
        for at, value in kept.items():
            self._cells[at] = value
