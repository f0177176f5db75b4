"""A bundle's files as a file system to import from: what was signed is what runs.

MicroPython's own answer, a ROM file system (`vfs.VfsRom`), is missing in its published images for
the ESP32 (`MICROPY_VFS_ROM` is 0 there), so this is a file system in Python, with no more than an
import asks for. `open` returns the bundle's own file, at the first byte of the member. Where the
member ends it does not know: a `.mpy` file does, and nothing else is in a bundle.

This stays in memory while the unit runs, so it is small; `bundle_index.py` is needed once.
"""

import gc
from binascii import crc32


class BundleFiles:
    """The files of one bundle, for `vfs.mount`. Whether to believe the bundle is others' to ask.

    Args:
        path: The bundle.
        index: Eight bytes for each file and folder: CRC-32 of its path, and where the file begins,
            0 for a folder, both little-endian. No two have the same CRC.
    """

    def __init__(self, path: str, index: bytes) -> None:
        self._path = path
        self._index = index

    def mount(self, *_: object) -> None:
        """Nothing to do."""

    umount = mount

    def stat(self, path: str) -> "tuple[int, ...]":
        """Whether it is a folder (0x4000) or a file (0x8000), as `os.stat` says it; OSError."""
        return (0x8000 if self._find(path) else 0x4000,) + (0,) * 9

    def open(self, path: str, _: str) -> object:
        """The bundle, open for reading, at the file's first byte.

        Raises:
            OSError: There is no such file.
        """
        begin = self._find(path)
        gc.collect()  # so that modules, which stay, lie together and not between what goes
        file = open(self._path, "rb")  # noqa: SIM115 - whoever imports closes it
        file.seek(begin)
        return file

    def _find(self, path: str) -> int:
        """Where the file begins, 0 for a folder."""
        key = (crc32(path.strip("/").encode()) & 0xFFFFFFFF).to_bytes(4, "little")
        at = self._index.find(key)
        while at % 8 and at >= 0:  # it straddles two entries
            at = self._index.find(key, at + 1)
        if at < 0:
            raise OSError(2)  # ENOENT
        return int.from_bytes(self._index[at + 4 : at + 8], "little")
