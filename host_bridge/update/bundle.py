"""Bundles: a signed manifest and its files in one run of bytes, which a unit fetches in pieces.

Layout: mark `CQU1`, length of the manifest (u32, little-endian), signature, manifest; these are the
head. Behind it are the files in the manifest's order. See docs/update.md.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.contract.messages import MAX_PIECE, Offer, Piece, Want
from host_bridge.update import bytecode, signing
from host_bridge.update.errors import UpdateError
from host_bridge.update.manifest import File, Manifest, decode, encode

_MARK = b"CQU1"
_FIXED = 8


class Unsigned(msgspec.Struct, frozen=True):
    """A version that was built and is not signed yet: the manifest's bytes and all files'."""

    manifest: bytes
    payload: bytes


class Bundle(msgspec.Struct, frozen=True):
    """A signed bundle: its name, its bytes, its manifest, and how long its head is."""

    name: str
    data: bytes
    manifest: Manifest
    head: int


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
    compiled = {
        path: bytecode.compile_source(file, path) for path, file in bytecode.sources(folder).items()
    }
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
    signature = signing.sign(key, unsigned.manifest)
    length = len(unsigned.manifest).to_bytes(4, "little")
    data = _MARK + length + signature + unsigned.manifest + unsigned.payload
    return verify(data, key.public_key())


def verify(data: bytes, key: rsa.RSAPublicKey) -> Bundle:
    """Read a bundle, and check its signature and every hash.

    Raises:
        UpdateError: It is damaged, malformed, or not signed with this key.
    """
    start = _FIXED + key.key_size // 8
    head = start + int.from_bytes(data[4:_FIXED], "little")
    if data[:4] != _MARK or head > len(data):
        raise UpdateError("this is not an update of format 1, or its end is missing")
    if not signing.verify(key, data[_FIXED:start], data[start:head]):
        raise UpdateError("the update is not signed with this key, or is damaged")
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
    """What a unit's root folder gets at the factory: each file's path and bytes.

    `bundle.head` is among them; by it the unit knows which version it has.
    """
    yield "bundle.head", bundle.name.encode() + bundle.data[: bundle.head]
    position = bundle.head
    for file in bundle.manifest.files:
        yield file.path, bundle.data[position : position + file.size]
        position += file.size
