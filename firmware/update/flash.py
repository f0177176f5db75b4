"""Files on the unit's flash, as an update needs them.

`open` and `os` work on LittleFS there: what was written is durable once the file is closed, and
closing and removing are each done or undone after a power cut, in their order. Nothing is renamed:
after a cut in the middle of that, some other file can't be seen until something is written (the
littlefs of MicroPython 1.29 seems to lack littlefs's pull request 937), and it may be main.py.
"""

import os

_CHUNK = 512


def exists(path: str) -> bool:
    """Whether there is such a file."""
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


def append(path: str, data: bytes) -> None:
    """Add bytes at the end of a file, which is made if there is none; durable on return.

    Raises:
        OSError: The flash failed or is full; nothing was added.
    """
    with open(path, "ab") as file:
        file.write(data)


def copy(path: str, skip: int, target: str) -> None:
    """Make a new file of the bytes of another behind its first `skip`.

    Durable, and whole, on return only.

    Raises:
        OSError: The flash failed or is full.
    """
    with open(path, "rb") as source, open(target, "wb") as file:
        source.seek(skip)
        data = source.read(_CHUNK)
        while data:
            file.write(data)
            data = source.read(_CHUNK)


def remove(path: str) -> None:
    """Remove a file; nothing to do if there is none.

    Raises:
        OSError: The flash failed; the file is there as it was.
    """
    if exists(path):
        os.remove(path)


def free(path: str) -> "tuple[int, int]":
    """Size of a block in bytes, and the number of free blocks, of the file system at `path`."""
    _, block, _, blocks = os.statvfs(path)[:4]
    return block, blocks
