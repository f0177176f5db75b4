"""A bundle's files as a file system to import from: what was signed is what runs.

MicroPython's own answer, a ROM file system (`vfs.VfsRom`), is missing in its published images for
the ESP32 (`MICROPY_VFS_ROM` is 0 there), so this is a file system in Python, with no more than an
import asks for. `open` returns the bundle's own file, at the first byte of the member. Where the
member ends it does not know: a `.mpy` file does, and nothing else is in a bundle.
"""

from binascii import crc32

_FOLDER = (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_FILE = (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_NONE = 2  # ENOENT
_ENTRY = 8


class BundleFiles:
    """The files of one bundle, for `vfs.mount`. Whether to believe the bundle is others' to ask.

    It stays in memory while the unit runs, with eight bytes for each file and folder: CRC-32 of the
    path, then where the file begins, 0 for a folder. Bundles are built so that no two have the same.

    Args:
        path: The bundle.

    Raises:
        OSError: It can't be read.
        ValueError: It is no bundle, or its end is missing.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._index = _index(path)

    def mount(self, readonly: bool, mkfs: bool) -> None:
        """Nothing to do."""

    def umount(self) -> None:
        """Nothing to do."""

    def stat(self, path: str) -> "tuple[int, ...]":
        """Whether it is a folder (0x4000) or a file (0x8000), as `os.stat` says it; OSError."""
        return _FILE if self._find(path) else _FOLDER

    def open(self, path: str, mode: str) -> object:  # noqa: ARG002
        """The bundle, open for reading, at the file's first byte.

        Raises:
            OSError: There is no such file.
        """
        begin = self._find(path)
        if not begin:
            raise OSError(_NONE)
        file = open(self._path, "rb")  # noqa: SIM115 - whoever imports closes it
        file.seek(begin)
        return file

    def _find(self, path: str) -> int:
        """Where the file begins, 0 for a folder."""
        path = path.strip("/")
        if not path:
            return 0
        if not path.endswith(".py"):  # a third of all questions
            at = _position(self._index, path.encode())
            if at >= 0:
                return int.from_bytes(self._index[at + 4 : at + _ENTRY], "little")
        raise OSError(_NONE)


def _position(index: bytes, path: bytes) -> int:
    key = _key(path)
    at = index.find(key)
    while at % _ENTRY and at >= 0:  # it straddles two entries
        at = index.find(key, at + 1)
    return at


def _key(path: bytes) -> bytes:
    return (crc32(path) & 0xFFFFFFFF).to_bytes(4, "little")


def _index(path: str) -> bytes:
    index = bytearray()
    with open(path, "rb") as file:
        fixed = file.read(_ENTRY)
        left = int.from_bytes(fixed[4:6], "little")
        begin = _ENTRY + int.from_bytes(fixed[6:8], "little")
        file.seek(begin)
        begin += left
        while left > 0:
            line = file.readline()
            if not line:
                break
            left -= len(line)
            if line.startswith(b"file "):
                words = line.split()
                _add(index, words[3], begin)
                begin += int(words[2])
        if fixed[:4] != b"CQU1" or left or file.seek(0, 2) != begin:
            raise ValueError("this is no bundle, or its end is missing: " + path)
    return bytes(index)


def _add(index: bytearray, path: bytes, begin: int) -> None:
    """Add a file and, with their first file, the folders that it is in."""
    end = path.find(b"/")
    while end >= 0:
        folder = path[:end]
        if _position(index, folder) < 0:
            index.extend(_key(folder) + b"\0\0\0\0")
        end = path.find(b"/", end + 1)
    index.extend(_key(path) + begin.to_bytes(4, "little"))
