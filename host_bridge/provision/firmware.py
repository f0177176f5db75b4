"""The built firmware: which files go onto a board, and in what order."""

from pathlib import Path

from host_bridge.provision.errors import SetupError

STARTERS = ("boot.py", "main.py")
"""What starts the unit: copied after everything else, so that no half-made board ever starts."""

_BLOCK = 4096


def load(folder: Path, room: int) -> dict[str, bytes]:
    """The firmware's files: path on the board to content, the `STARTERS` last.

    Args:
        folder: Where the firmware was built.
        room: Bytes of the board's file system. LittleFS gives every file whole blocks of 4 KiB.

    Raises:
        SetupError: The folder is no firmware, holds a unit's configuration, or is too large.
    """
    try:
        files = _files(folder)
    except OSError as error:
        raise _wrong(folder, f"it can't be read ({error.strerror})") from error
    if "main.py" not in files:
        raise _wrong(folder, "it has no main.py")
    if "config.json" in files:
        raise _wrong(folder, "it has a config.json, which belongs to one unit only")
    size = sum(_BLOCK * (1 + len(content) // _BLOCK) for content in files.values())
    if size > room:
        raise _wrong(folder, f"its files need {size} bytes in blocks, the file system has {room}")
    return dict(sorted(files.items(), key=lambda item: item[0] in STARTERS))


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _hidden(path.relative_to(folder))
    }


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in path.parts)


def _wrong(folder: Path, what: str) -> SetupError:
    return SetupError(
        f"{folder}: this is no firmware to copy: {what}.",
        todo="Build it (make firmware) or name its folder with --firmware.",
    )
