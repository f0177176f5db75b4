"""A disk that is small enough to be filled: a tmpfs of our own."""

import subprocess
from pathlib import Path

_CHUNK = bytes(64 * 1024)


class DiskError(Exception):
    """No disk of our own can be had here."""


class SmallDisk:
    """A tmpfs at a folder, which needs the right to mount one."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._ballast = folder / "ballast"
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs"]
        made = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
        if made.returncode:
            raise DiskError(f"a small disk can't be mounted here: {made.stderr.strip()}")

    def fill(self) -> None:
        """Leave not one byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (len(_CHUNK), 4096, 1):
                try:
                    while file.write(_CHUNK[:size]):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Somebody has tidied up."""
        self._ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the disk out, whatever is on it."""
        # Lazily: a server that is about to end may still have it open.
        subprocess.run(["umount", "-l", str(self.folder)], check=True)
        self.folder.rmdir()
