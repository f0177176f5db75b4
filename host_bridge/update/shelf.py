"""The shelf: a folder with the bundles that units may ask for, each under its own name."""

import hashlib
import os
from pathlib import Path

import msgspec

from host_bridge.update.errors import UpdateError
from host_bridge.update.manifest import decode

_MARK = b"CQU1"
_FIXED = 8
_MANIFEST = b"chequer-update 1\n"
_SIGNATURES = range(384, 513)
_LARGEST = 2**20


class Label(msgspec.Struct, frozen=True):
    """What is known of a bundle on the shelf: its name, its bytes, the version in it."""

    name: str
    size: int
    version: int


def read(data: bytes) -> Label:
    """Read a bundle as far as that goes without the key that signed it: units have that.

    Raises:
        UpdateError: It is damaged or malformed.
    """
    length = int.from_bytes(data[4:6], "little")  # of the manifest, at most 8,192
    # The signature is as long as the key, so the manifest shows where it begins.
    start = data.find(_MANIFEST, _FIXED + _SIGNATURES[0], _FIXED + _SIGNATURES[-1] + 32)
    if data[:4] != _MARK or len(data) > _LARGEST or start - _FIXED not in _SIGNATURES:
        raise UpdateError("this is no signed update of format 1; it was not taken")
    head = start + length
    manifest = decode(data[start:head])
    at = head
    for file in manifest.files:
        if hashlib.sha256(data[at : at + file.size]).hexdigest() != file.sha256:
            raise UpdateError(f"{file.path} in the update is damaged; it was not taken")
        at += file.size
    if at != len(data):
        raise UpdateError("the update has more bytes than its manifest names; it was not taken")
    name = hashlib.sha256(data[:head]).hexdigest()[:32]
    return Label(name, len(data), manifest.version)


class Shelf:
    """The folder; made when the first bundle comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: Path) -> Label:
        """Copy a bundle into the folder, whole or not at all.

        Raises:
            UpdateError: It can't be read or written, or is none.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UpdateError(f"{path} can't be read: {error.strerror}") from error
        label = read(data)
        place = self._place(label.name)
        fresh = place.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(data)
            fresh.replace(place)
        except OSError as error:
            raise UpdateError(f"{place} can't be written: {error.strerror}") from error
        return label

    def has(self, name: str) -> bool:
        """Whether a bundle is there."""
        return self._place(name).is_file()

    def piece(self, name: str, offset: int, size: int) -> bytes | None:
        """Exactly so many bytes of a bundle; None when there are no such."""
        try:
            with self._place(name).open("rb") as file:
                file.seek(offset)
                data = file.read(size)
        except OSError:
            return None
        return data if len(data) == size else None

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}.bundle"
