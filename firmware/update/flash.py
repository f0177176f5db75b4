"""Files and folders on the unit's flash, as an update needs them.

`open` and `os` work on LittleFS there: what was written is durable once the file is closed, and
closing and removing are each done or undone after a power cut, in their order. Nothing is renamed:
after a cut in the middle of that, some other file can't be seen until something is written (the
littlefs of MicroPython 1.29 seems to lack littlefs's pull request 937), and it may be main.py.
"""

import os

_CHUNK = 512
_FOLDER = 0x4000
"""The bit of a folder in a file's mode."""


def exists(path: str) -> bool:
    """Whether there is a file or folder."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def size(path: str) -> int:
    """Bytes of a file, 0 if there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def start_of(path: str, length: int) -> bytes:
    """The first `length` bytes of a file, fewer if it is shorter, none if there is no file."""
    try:
        with open(path, "rb") as file:
            start: bytes = file.read(length)
    except OSError:
        return b""
    return start


def append(path: str, data: bytes) -> None:
    """Add bytes at the end of a file, which is made if there is none; durable on return.

    Raises:
        OSError: The flash failed or is full; nothing was added.
    """
    with open(path, "ab") as file:
        file.write(data)


def copy(path: str, target: str) -> None:
    """Make a new file of the bytes of another; durable, and whole, on return only.

    Raises:
        OSError: The flash failed or is full.
    """
    with open(path, "rb") as source, open(target, "wb") as file:
        data = source.read(_CHUNK)
        while data:
            file.write(data)
            data = source.read(_CHUNK)


def remove(path: str) -> None:
    """Remove a file, or a folder with all that is in it; nothing to do if there is none.

    Raises:
        OSError: The flash failed; some of it may be gone.
    """
    if not exists(path):
        return
    if os.stat(path)[0] & _FOLDER:
        for name in os.listdir(path):
            remove(path + "/" + name)
        os.rmdir(path)
    else:
        os.remove(path)


def make_folders(base: str, path: str) -> None:
    """Make the folders below `base` that the file at the relative `path` needs."""
    end = path.find("/")
    while end >= 0:
        folder = base + "/" + path[:end]
        if not exists(folder):
            os.mkdir(folder)
        end = path.find("/", end + 1)


def free(path: str) -> "tuple[int, int]":
    """Size of a block in bytes, and the number of free blocks, of the file system at `path`."""
    _, block, _, blocks = os.statvfs(path)[:4]
    return block, blocks
