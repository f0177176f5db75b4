"""The manifest of an update: for whom it is, and every file with its size and SHA-256.

The unit's reader is `firmware/update/manifest.py`; docs/update.md has the grammar. There is one
spelling only of every manifest: what `encode` returns.
"""

import re
from typing import Annotated

import msgspec

from host_bridge.update.errors import UpdateError

MAX_MANIFEST = 12288
MAX_FILES = 120
MAX_FILE = 65536
MAX_TOTAL = 131072

Number = Annotated[int, msgspec.Meta(ge=0, le=999_999_999)]
Version = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]
Path = Annotated[
    str,
    msgspec.Meta(pattern=r"^([a-z0-9_]{1,32}/){0,3}[a-z0-9_]{1,32}\.mpy\Z", max_length=64),
]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an update."""

    path: Path
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_FILE)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """For whom an update is, and what is in it.

    `requires` is the lowest version that can be replaced by this one, `downgrade` the highest that
    it may replace although its own `version` is lower (0: none). `mpy` is the version of the
    bytecode files. The files are sorted by path.
    """

    product: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}\Z")]
    hardware: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=16)]
    mpy: Number
    version: Version
    requires: Number = 0
    downgrade: Number = 0
    files: Annotated[list[File], msgspec.Meta(min_length=1, max_length=MAX_FILES)]

    @property
    def total(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def encode(manifest: Manifest) -> bytes:
    """The manifest as it is signed and travels.

    Raises:
        UpdateError: A value is out of range, or all together is too large for a unit.
    """
    checked = _check(msgspec.to_builtins(manifest))
    lines = [
        "chequer-update 1",
        f"product {checked.product}",
        f"hardware {' '.join(map(str, checked.hardware))}",
        f"mpy {checked.mpy}",
        f"version {checked.version}",
        f"requires {checked.requires}",
        f"downgrade {checked.downgrade}",
        f"files {len(checked.files)} {checked.total}",
        *(f"file {file.sha256} {file.size} {file.path}" for file in checked.files),
    ]
    text = ("\n".join(lines) + "\n").encode("ascii")
    if len(text) > MAX_MANIFEST:
        raise UpdateError(f"the manifest has {len(text)} bytes; units take {MAX_MANIFEST}")
    return text


def decode(text: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        UpdateError: It is not one, or is not spelled as `encode` spells it.
    """
    try:
        lines = [line.split(" ") for line in text.decode("ascii").split("\n")]
    except UnicodeDecodeError:
        raise UpdateError("the manifest is not ASCII text") from None
    head, files = lines[1:8], lines[8:-1]
    if lines[0] != ["chequer-update", "1"] or any(len(line) != 4 for line in files):
        raise UpdateError("this is not a manifest of format 1")
    values: dict[str, object] = {line[0]: _number(line[1]) for line in head if len(line) == 2}
    values["hardware"] = [
        _number(word) for line in head for word in line[1:] if line[0] == "hardware"
    ]
    values["files"] = [
        {"sha256": line[1], "size": _number(line[2]), "path": line[3]} for line in files
    ]
    manifest = _check(values)
    if encode(manifest) != text:
        raise UpdateError("the manifest is not spelled as it must be")
    return manifest


def _number(word: str) -> int | str:
    return int(word) if re.fullmatch(r"[0-9]{1,9}", word) else word


def _check(values: object) -> Manifest:
    try:
        manifest = msgspec.convert(values, Manifest)
    except msgspec.ValidationError as error:
        raise UpdateError(f"the manifest is wrong: {error}") from None
    paths = [file.path for file in manifest.files]
    if paths != sorted(set(paths)):
        raise UpdateError("the files of a manifest are in the order of their paths, each once")
    if manifest.total > MAX_TOTAL:
        raise UpdateError(f"the files have {manifest.total} bytes; units take {MAX_TOTAL}")
    return manifest
