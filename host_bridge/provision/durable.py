"""What a power cut must not undo."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make names that were just made or replaced in this folder durable (see fsync(2))."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
