"""The folder that is copied to a new unit: what starts it, the loader, and slot `a` with a version.

docs/update.md, "Two slots, one number", says what each file is for.
"""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.update import bundle, bytecode, signing
from host_bridge.update.errors import UpdateError

MAIN = "main.py"
"""What MicroPython runs after a reset. It starts no bytecode, so this one file is source."""

LOADER = (
    "loader.mpy",
    *(f"update/{name}.mpy" for name in ("__init__", "bundle_files", "bundle_index", "slots")),
)
"""The loader's modules, which no update changes."""

BUNDLE = "a.bundle"
READY = "a.ready"
KEY = "release.pub"
"""The modulus of the key whose updates the unit takes; without it the unit takes none."""

PINS = "pins.json"
"""The pin map for the factory test: in the bundle, numbers have taken the place of its names."""

_PIN = re.compile(r"^([A-Z0-9_]+) = const\((\d+)\)$", re.MULTILINE)


def write(
    sources: Path, target: Path, *, hardware: Sequence[int], key: rsa.RSAPrivateKey | None = None
) -> bundle.Bundle:
    """Make the folder anew; it is complete, or as it was before. The same sources, the same bytes.

    Args:
        sources: The firmware's import root.
        target: The folder.
        hardware: The revisions of the board that it runs on.
        key: Signs the bundle; without it the unit takes no updates.

    Returns:
        The bundle in slot `a`.

    Raises:
        UpdateError: A source does not compile, or units would refuse the result.
        OSError: The folder can't be written.
    """
    number = bytecode.number_of(bytecode.version_in(sources))
    built = bundle.build(sources, number, hardware=hardware)
    made = bundle.sign(built, key) if key else bundle.leave_unsigned(built)
    files = {MAIN: (sources / MAIN).read_bytes(), BUNDLE: made.data, READY: b"ready\n"}
    program = bytecode.read(sources)
    files |= {path: bytecode.compile_module(program, path) for path in LOADER}
    pins = _PIN.findall((sources / "board" / "pins.py").read_text(encoding="utf-8"))
    files[PINS] = json.dumps({name: int(number) for name, number in pins}).encode()
    if key:
        files[KEY] = signing.modulus(key.public_key())
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        fresh = Path(name) / "firmware"
        for path, data in files.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_bytes(data)
        if target.exists():
            target.rename(Path(name) / "old")
        fresh.rename(target)
    write_names(sources, target)
    return made


def write_names(sources: Path, beside: Path) -> None:
    """Write what the short names in crash records mean to `<beside>.names.json`."""
    text = json.dumps(bytecode.read(sources).names, indent=1) + "\n"
    beside.with_name(beside.name + ".names.json").write_text(text, encoding="utf-8")


def unpack(folder: Path, target: Path) -> Path:
    """The modules of the bundle in such a folder as files, to look at them; the target.

    Raises:
        UpdateError: The folder is something else.
        OSError: It can't be read or the target can't be written.
    """
    _, made = read(folder)
    for path, data in bundle.files(made):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
    return target


def read(folder: Path) -> tuple[dict[str, bytes], bundle.Bundle]:
    """The files of a folder that `write` made (path: content), and the bundle among them.

    Raises:
        UpdateError: The folder is something else, or the bundle is damaged or not signed with the
            key beside it; the message says what is missing.
        OSError: It can't be read.
    """
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    wanted = {MAIN, BUNDLE, READY, PINS, *LOADER}
    if missing := wanted - set(found):
        raise UpdateError(f"it has no {', '.join(sorted(missing))}")
    if strange := set(found) - wanted - {KEY}:
        raise UpdateError(f"it has what is no part of it: {', '.join(sorted(strange)[:3])}")
    made = bundle.read(found[BUNDLE])
    if KEY in found:
        bundle.verify(made.data, signing.public_key(found[KEY]))
    return found, made
