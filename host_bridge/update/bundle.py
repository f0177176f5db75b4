"""Bundles: a signed manifest and its files in one run of bytes, which a unit fetches in pieces.

Layout: mark `CQU1`, lengths of manifest and signature (u16 each, little-endian), signature,
manifest; these are the head. Behind it are the files in the manifest's order. See docs/update.md.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.contract.messages import MAX_PIECE, Offer, Piece, Want
from host_bridge.update import bytecode, signing
from host_bridge.update.errors import UpdateError
from host_bridge.update.manifest import File, Manifest, decode, encode

NOT_IN_A_BUNDLE = frozenset({"loader.mpy"})
"""What lies beside the slots, and is changed by no update."""

_MARK = b"CQU1"
_FIXED = 8


class Unsigned(msgspec.Struct, frozen=True):
    """A version that was built and is not signed yet: the manifest's bytes and all files'."""

    manifest: bytes
    payload: bytes


class Bundle(msgspec.Struct, frozen=True):
    """A bundle: its name, its bytes, its manifest, and how long its head is."""

    name: str
    data: bytes
    manifest: Manifest
    head: int

    @property
    def signed(self) -> bool:
        """Whether it has a signature, by whatever key. Units take no update without one."""
        return bool(int.from_bytes(self.data[6:_FIXED], "little"))


def build(
    folder: Path,
    version: int,
    *,
    hardware: Sequence[int],
    product: str = "desk-unit",
    requires: int = 0,
    downgrade: int = 0,
) -> Unsigned:
    """Compile the sources in `folder` for a unit. The same sources give the same bytes.

    Args:
        folder: The firmware's import root.
        version: Its number, from 1; higher than that of every version before it.
        hardware: The revisions of the board that it runs on.
        product: The product that it is for.
        requires: The lowest version that can be replaced by this one.
        downgrade: The highest version that this one may replace although its own number is lower.
            Name the version in the field that is to be left, so that the permission ends with it.

    Raises:
        UpdateError: A source does not compile, or units would refuse the result.
    """
    program = bytecode.read(folder)
    compiled = {
        path: bytecode.compile_module(program, path)
        for path in program.sources
        if path not in NOT_IN_A_BUNDLE
    }
    _hold_apart(compiled)
    kinds = {bytecode.version_of(data) for data in compiled.values()}
    manifest = Manifest(
        product=product,
        hardware=sorted(set(hardware)),
        mpy=kinds.pop(),
        version=version,
        requires=requires,
        downgrade=downgrade,
        files=[
            File(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
            for path, data in compiled.items()
        ],
    )
    return Unsigned(encode(manifest), b"".join(compiled.values()))


def sign(unsigned: Unsigned, key: rsa.RSAPrivateKey) -> Bundle:
    """Sign what was built, and check the result as a unit will.

    Raises:
        UpdateError: The files are not those of the manifest.
    """
    return verify(_join(unsigned, signing.sign(key, unsigned.manifest)), key.public_key())


def leave_unsigned(unsigned: Unsigned) -> Bundle:
    """A bundle that can be copied to a unit by hand, but is never taken as an update.

    Raises:
        UpdateError: The files are not those of the manifest.
    """
    return read(_join(unsigned, b""))


def verify(data: bytes, key: rsa.RSAPublicKey) -> Bundle:
    """Read a bundle, and check its signature and every hash.

    Raises:
        UpdateError: It is damaged, malformed, or not signed with this key.
    """
    start, head = _parts(data)
    if not signing.verify(key, data[_FIXED:start], data[start:head]):
        raise UpdateError("the update is not signed with this key, or is damaged")
    return read(data)


def read(data: bytes) -> Bundle:
    """Read a bundle and check every hash, but not who signed it.

    Raises:
        UpdateError: It is damaged or malformed.
    """
    start, head = _parts(data)
    manifest = decode(data[start:head])
    position = head
    for file in manifest.files:
        found = data[position : position + file.size]
        if hashlib.sha256(found).hexdigest() != file.sha256:
            raise UpdateError(f"{file.path} in the update is damaged")
        position += file.size
    if position != len(data):
        raise UpdateError("the update has more bytes than its manifest names")
    return Bundle(hashlib.sha256(data[:head]).hexdigest()[:32], data, manifest, head)


def offer(bundle: Bundle, *, again: bool = False) -> Offer:
    """What tells a unit of this bundle."""
    return Offer(bundle=bundle.name, size=len(bundle.data), again=again)


def answer(bundle: Bundle, want: Want) -> Piece | None:
    """The piece that a unit asked for; None if it is not of this bundle or beyond its end."""
    data = bundle.data[want.offset : want.offset + want.size]
    if want.bundle != bundle.name or len(data) != want.size:
        return None
    return Piece(bundle=bundle.name, offset=want.offset, data=data)


def pieces(bundle: Bundle, size: int = MAX_PIECE) -> Iterator[Piece]:
    """The whole bundle in pieces of at most `size` bytes (1 to `MAX_PIECE`)."""
    for offset in range(0, len(bundle.data), size):
        data = bundle.data[offset : offset + size]
        yield Piece(bundle=bundle.name, offset=offset, data=data)


def files(bundle: Bundle) -> Iterator[tuple[str, bytes]]:
    """Each file's path and bytes."""
    position = bundle.head
    for file in bundle.manifest.files:
        yield file.path, bundle.data[position : position + file.size]
        position += file.size


def _join(unsigned: Unsigned, signature: bytes) -> bytes:
    lengths = b"".join(len(part).to_bytes(2, "little") for part in (unsigned.manifest, signature))
    return _MARK + lengths + signature + unsigned.manifest + unsigned.payload


def _parts(data: bytes) -> tuple[int, int]:
    """Where the manifest begins, and where the first file does."""
    start = _FIXED + int.from_bytes(data[6:_FIXED], "little")
    head = start + int.from_bytes(data[4:6], "little")
    if data[:4] != _MARK or head > len(data):
        raise UpdateError("this is not an update of format 1, or its end is missing")
    return start, head


def _hold_apart(paths: Iterable[str]) -> None:
    """A unit finds files and folders by the CRC-32 of their path (firmware's bundle_files.py)."""
    names = {str(part) for path in paths for part in (path, *PurePosixPath(path).parents)} - {"."}
    if len({zlib.crc32(name.encode()) for name in names}) != len(names):
        raise UpdateError("two paths of the firmware have the same CRC-32; rename a file")
