"""The head of a bundle, and what it says once its signature holds.

A bundle is one run of bytes: mark `CQU1`, length of the manifest and of the signature (u16 each,
little-endian), signature, manifest, then the files one after the other. All in front of the files
is the head. The bundle's name is the first half of the head's SHA-256 in hexadecimal, and as the
head holds the hash of every file, the name stands for every byte.

A bundle with a signature of no bytes can be copied to a unit by hand; it is never an update.
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


NAME = const(32)
"""Length of a bundle's name."""

_MARK = b"CQU1"
_FIXED = const(8)
_CHUNK = const(512)
_PURPOSE = b"chequer firmware update 1\n"
"""Signed in front of the manifest, so that no other signature of this key passes for one."""


def prefix_length(key: "PublicKey") -> int:
    """Bytes in front of the manifest: what has to be fetched first."""
    return _FIXED + key.size


def head_length(path: str, key: "PublicKey", begin: int = 0) -> int:
    """Bytes of the whole head that begins at `begin` in the file at `path`, by its first bytes.

    Raises:
        Refused: `malformed`, this is no bundle; `signature`, it can't be signed with this key.
        OSError: The file can't be read.
    """
    with open(path, "rb") as file:
        file.seek(begin)
        manifest, signature = _lengths(file)
    if signature != key.size:
        raise _unsigned()
    return prefix_length(key) + manifest


def name_of(path: str, begin: int, length: int) -> bytes:
    """The name of the bundle whose head of `length` bytes begins at `begin`.

    Raises:
        OSError: The file can't be read.
    """
    return hexlify(digest_of(path, begin, length)[: NAME // 2])


def digest_of(path: str, begin: int, length: int) -> bytes:
    """SHA-256 of `length` bytes from `begin`, or as many as there are, read in small parts.

    Raises:
        OSError: The file can't be read.
    """
    with open(path, "rb") as file:
        file.seek(begin)
        return _hash(file, sha256(), length)


class Head:
    """The head that begins the file at `path`, its signature verified.

    The file stays open until `close`, for the manifest's lines are read from it one by one.

    Args:
        path: Where the head is.
        key: The key that must have signed it.
        begin: Where in the file the head begins.

    Raises:
        Refused: `malformed` or `signature`.
        OSError: The file can't be read.
    """

    def __init__(self, path: str, key: "PublicKey", begin: int = 0) -> None:
        self.length = head_length(path, key, begin)
        """Bytes of the head; the first file begins behind them."""
        self._path = path
        self._start = begin + prefix_length(key)
        self._size = self.length - prefix_length(key)
        self._file = open(path, "rb")  # noqa: SIM115
        self._file.seek(begin + _FIXED)
        signature = self._file.read(key.size)
        if not key.verifies(signature, _hash(self._file, sha256(_PURPOSE), self._size)):
            self._file.close()
            raise _unsigned()

    def manifest(self) -> Manifest:
        """The manifest, from its beginning; it takes the place of one that was begun before.

        Raises:
            Refused: `malformed`.
        """
        self._file.seek(self._start)
        self._manifest = Manifest(self._file, self._size)
        return self._manifest

    def refresh(self) -> None:
        """Read on in the file as it is now; call it after each time that bytes were appended.

        LittleFS uses blocks of a file again that were written anew, also if somebody still reads
        there.
        """
        at = self._file.tell()
        self._file.close()
        self._file = open(self._path, "rb")  # noqa: SIM115
        self._file.seek(at)
        self._manifest.read_on(self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def version_at(path: str) -> int:
    """The version of the bundle at `path`, which is not checked; 0 if that can't be told."""
    try:
        with open(path, "rb") as file:
            manifest, signature = _lengths(file)
            file.seek(_FIXED + signature)
            return Manifest(file, manifest).version
    except (OSError, Refused):
        return 0


def _lengths(file: "BinaryIO") -> "tuple[int, int]":
    """Bytes of manifest and signature, by the first bytes of a head."""
    start = file.read(_FIXED)
    manifest = int.from_bytes(start[4:6], "little")
    if len(start) != _FIXED or start[:4] != _MARK or not 1 <= manifest <= MAX_MANIFEST:
        raise Refused("malformed", "this is not an update of format 1")
    return manifest, int.from_bytes(start[6:], "little")


def _unsigned() -> Refused:
    return Refused("signature", "the update is not signed with this unit's update key")


def _hash(file: "BinaryIO", total: "Hash", left: int) -> bytes:
    """Digest of `total` and the next `left` bytes of the file."""
    view = memoryview(bytearray(_CHUNK))
    while left > 0:
        count = file.readinto(view[:left])
        if not count:
            break
        total.update(view[:count])
        left -= count
    return total.digest()
