"""The head of a bundle, and what it says once its signature holds.

A bundle is one run of bytes: mark `CQU1`, length of the manifest (u32, little-endian), signature,
manifest, then the files one after the other. All in front of the files is the head. The bundle's
name is the first half of the head's SHA-256 in hexadecimal, and as the head holds the hash of
every file, the name stands for every byte.

On flash a head is kept in a file that begins with the bundle's name, so that a head of which only
a part has come is never completed with a part of another one.
"""

from binascii import hexlify
from hashlib import sha256

from port import const

from .manifest import MAX_MANIFEST, Manifest
from .refusal import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Protocol

    from .signature import PublicKey

    class Hash(Protocol):
        """A hash that grows."""

        def update(self, data: memoryview) -> None:
            """Add bytes."""

        def digest(self) -> bytes:
            """The digest of all that was added."""


FILE = "bundle.head"
"""Name of the file that keeps the head in its slot, and in the root when flashed there."""

NAME = const(32)
"""Length of a bundle's name, which is what the file begins with."""

_MARK = b"CQU1"
_FIXED = const(8)
_CHUNK = const(512)
_PURPOSE = b"chequer firmware update 1\n"
"""Signed in front of the manifest, so that no other signature of this key passes for one."""


def prefix_length(key: "PublicKey") -> int:
    """Bytes in front of the manifest: what has to be fetched first."""
    return _FIXED + key.size


def head_length(path: str, key: "PublicKey") -> int:
    """Bytes of the whole head, by its first bytes in the file at `path`.

    Raises:
        Refused: `malformed`, this is no bundle.
        OSError: The file can't be read.
    """
    with open(path, "rb") as file:
        start = file.read(NAME + _FIXED)[NAME:]
    length = int.from_bytes(start[4:], "little")
    if len(start) != _FIXED or start[:4] != _MARK or not 1 <= length <= MAX_MANIFEST:
        raise Refused("malformed", "this is not an update of format 1")
    return prefix_length(key) + length


def name_holds(path: str) -> bool:
    """Whether the name that the file begins with is that of the head behind it."""
    with open(path, "rb") as file:
        name: bytes = file.read(NAME)
        return name == hexlify(_hash(file, sha256())[: NAME // 2])


def digest_of(path: str) -> bytes:
    """SHA-256 of a file, read in small parts."""
    with open(path, "rb") as file:
        return _hash(file, sha256())


class Head:
    """The head in the file at `path`, its signature verified.

    The file stays open until `close`, for the manifest's lines are read from it one by one.

    Args:
        path: Where the head is.
        key: The key that must have signed it.

    Raises:
        Refused: `malformed` or `signature`.
        OSError: The file can't be read.
    """

    def __init__(self, path: str, key: "PublicKey") -> None:
        self.length = head_length(path, key)
        """Bytes of the head; the first file begins behind them."""
        self._start = NAME + prefix_length(key)
        self._file = open(path, "rb")  # noqa: SIM115
        self._file.seek(NAME + _FIXED)
        signature = self._file.read(key.size)
        if not key.verifies(signature, _hash(self._file, sha256(_PURPOSE))):
            self._file.close()
            raise Refused("signature", "the update is not signed with this unit's update key")

    def manifest(self) -> Manifest:
        """The manifest, from its beginning; it takes the place of one that was begun before.

        Raises:
            Refused: `malformed`.
        """
        self._file.seek(self._start)
        return Manifest(self._file, NAME + self.length - self._start)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def version_at(folder: str, key: "PublicKey") -> int:
    """The version of what is in `folder`; 0 if that can't be told."""
    try:
        head = Head(folder + "/" + FILE, key)
    except (OSError, Refused):
        return 0
    try:
        return head.manifest().version
    except Refused:
        return 0
    finally:
        head.close()


def _hash(file: "BinaryIO", total: "Hash") -> bytes:
    """Digest of `total` and the rest of the file."""
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    count = file.readinto(buffer)
    while count:
        total.update(view[:count])
        count = file.readinto(buffer)
    return total.digest()
