"""Where each file of a bundle begins, as `bundle_files.py` wants to know it."""

from binascii import crc32

_FIXED = 8


def index_of(path: str) -> bytes:
    """The index of the bundle at `path`, whose hashes and signature nobody asks for here.

    Raises:
        OSError: It can't be read.
        ValueError: It is no bundle, or its end is missing.
    """
    index = bytearray()
    with open(path, "rb") as file:
        fixed = file.read(_FIXED)
        left = int.from_bytes(fixed[4:6], "little")
        begin = _FIXED + int.from_bytes(fixed[6:], "little")
        file.seek(begin)
        begin += left
        folders = {b""}
        _add(index, b"", 0)
        while left > 0:
            line = file.readline()
            if not line:
                break
            left -= len(line)
            if line.startswith(b"file "):
                words = line.split()
                _add_folders(index, words[3], folders)
                _add(index, words[3], begin)
                begin += int(words[2])
        if fixed[:4] != b"CQU1" or left or file.seek(0, 2) != begin:
            raise ValueError("this is no bundle, or its end is missing: " + path)
    return bytes(index)


def _add_folders(index: bytearray, path: bytes, known: "set[bytes]") -> None:
    """Add the folders that a file is in, each with its first file."""
    end = path.find(b"/")
    while end >= 0:
        folder = path[:end]
        if folder not in known:
            known.add(folder)
            _add(index, folder, 0)
        end = path.find(b"/", end + 1)


def _add(index: bytearray, path: bytes, begin: int) -> None:
    index.extend((crc32(path) & 0xFFFFFFFF).to_bytes(4, "little") + begin.to_bytes(4, "little"))
