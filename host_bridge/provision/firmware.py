"""The built firmware: which files go onto a board, and in what order."""

from pathlib import Path

from host_bridge.provision.errors import SetupError
from host_bridge.update import folder as built
from host_bridge.update.errors import UpdateError

STARTERS = (built.READY, built.MAIN)
"""What starts the unit: copied after everything else, so that no half-made board ever starts."""

_BLOCK = 4096
_OTHERS = 18
"""Blocks for what a unit makes itself: folders, configuration and its copy, tags, the head of an
update, and what LittleFS needs to tidy up."""


def load(folder: Path, room: int) -> dict[str, bytes]:
    """The firmware's files: path on the board to content, the `STARTERS` last.

    Args:
        folder: Where the firmware was built (`make firmware`).
        room: Bytes of the board's file system. LittleFS gives every file whole blocks of 4 KiB.

    Raises:
        SetupError: The folder is no firmware, or there is no room for it and an update.
    """
    try:
        files, bundle = built.read(folder)
    except OSError as error:
        raise _wrong(folder, f"it can't be read ({error.strerror})") from error
    except UpdateError as error:
        raise _wrong(folder, str(error)) from error
    contents = [*files.values(), bundle.data]  # an update comes to lie beside it
    size = _BLOCK * (_OTHERS + sum(1 + len(content) // _BLOCK for content in contents))
    if size > room:
        raise _wrong(folder, f"with an update beside it it needs {size} bytes, there are {room}")
    rest = [path for path in files if path not in STARTERS]
    return {path: files[path] for path in (*rest, *STARTERS)}


def takes_updates(files: dict[str, bytes]) -> bool:
    """Whether units that are made of these files can be updated over their link."""
    return built.KEY in files


def _wrong(folder: Path, what: str) -> SetupError:
    return SetupError(
        f"{folder}: this is no firmware to copy: {what}.",
        todo="Build it (make firmware) or name its folder with --firmware.",
    )
