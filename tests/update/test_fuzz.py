"""Hostile bytes: 100,000 mutations of manifests, heads and pieces, none of which does harm.

`FUZZ_SEED` chooses other mutations.
"""

import asyncio
import io
import os
import random
import tempfile
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.update import bundle, manifest, signing
from host_bridge.update.errors import UpdateError

MANIFESTS, HEADS, PIECES = 92_000, 4_000, 4_000
INTERESTING = [
    b"\n", b" ", b"  ", b"\r\n", b"\x00", b"\xff", b"-1", b"0", b"00", b"999999999", b"4294967296",
    b"file ", b"files 1 1", b"../", b"/", b".mpy", b"hardware", b"version 9\n", b"\xc3\xa9",
    b"CQU1",
]  # fmt: skip


def mutate(source: random.Random, data: bytes) -> bytes:
    """Some of the bytes changed, removed, doubled, moved, or replaced by something nasty."""
    out = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 4, 16))):
        at = source.randrange(len(out) + 1)
        size = source.choice((1, 1, 2, 8, 64))
        kind = source.randrange(6)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << source.randrange(8)
        elif kind == 1:
            del out[at : at + size]
        elif kind == 2:
            out[at:at] = out[at : at + size]
        elif kind == 3:
            out[at : at + size] = source.choice(INTERESTING)
        elif kind == 4:
            out[at:at] = source.choice(INTERESTING)
        else:
            del out[at:]
    return bytes(out)


@pytest.fixture
def source() -> random.Random:
    """Where chance comes from."""
    return random.Random(int(os.environ.get("FUZZ_SEED", "1")))


def test_a_hostile_manifest_that_is_signed_is_refused_or_means_the_same_to_host_and_unit(
    source: random.Random, versions: Path, key: rsa.RSAPrivateKey
):
    from update.manifest import Manifest
    from update.refusal import Refused

    good = bundle.verify((versions / "1.bundle").read_bytes(), key.public_key())
    text = manifest.encode(good.manifest)
    accepted = 0
    reasons = set()
    for _ in range(MANIFESTS):
        hostile = mutate(source, text)
        try:
            unit = Manifest(io.BytesIO(hostile), len(hostile))
            files = [(path, size, digest.hex()) for path, size, digest in unit.files()]
        except Refused as refused:
            reasons.add(refused.reason)
            with pytest.raises(UpdateError):
                manifest.decode(hostile)
            continue
        accepted += 1
        host = manifest.decode(hostile)
        assert files == [(file.path, file.size, file.sha256) for file in host.files]
        assert (unit.product, unit.hardware, unit.mpy, unit.version) == (
            host.product, host.hardware, host.mpy, host.version,
        )  # fmt: skip
    assert reasons == {"malformed"}
    assert 0 < accepted < MANIFESTS // 2


async def offer(root: str, modulus: bytes, name: str, data: bytes, reply) -> str:
    """What a unit with version 1 makes of a bundle; `reply` may change each piece."""
    from tests.firmware.unit.update_release import Nvs
    from update import slots
    from update.manifest import Identity
    from update.refusal import Refused
    from update.signature import PublicKey
    from update.updater import Updater

    async def fetch(_: str, offset: int, size: int) -> bytes | None:
        return reply(data[offset : offset + size])

    nvs = Nvs()
    updater = Updater(
        root=root, nvs=nvs, running=0, key=PublicKey(modulus),
        unit=Identity("desk-unit", 1, 1, 6), fetch=fetch,
    )  # fmt: skip
    try:
        outcome = "installed" if await updater.run(name, len(data)) else "silent"
    except Refused as refused:
        outcome = refused.reason
    assert slots.State(nvs).trial == slots.ready(root, 1) == (outcome == "installed")
    return outcome


def test_no_hostile_head_is_installed(
    source: random.Random, versions: Path, key: rsa.RSAPrivateKey
):
    data = (versions / "2.bundle").read_bytes()
    head = bundle.verify(data, key.public_key()).head
    modulus = signing.modulus(key.public_key())
    outcomes: Counter[str] = Counter()
    for _ in range(HEADS):
        hostile = mutate(source, data[:head])
        if hostile == data[:head]:
            continue
        name = sha256(hostile).hexdigest()[:32]
        with tempfile.TemporaryDirectory() as root:
            everything = hostile + data[head:]
            outcomes[asyncio.run(offer(root, modulus, name, everything, lambda piece: piece))] += 1
            assert {path.name for path in Path(root).iterdir()} <= {
                "a.bundle",
                "a.ready",
                "bundle.next",
            }
    assert set(outcomes) <= {"signature", "malformed", "corrupt", "silent"}, outcomes
    assert outcomes["signature"] > HEADS // 10


def test_hostile_pieces_lead_to_nothing_but_the_signed_version(
    source: random.Random, versions: Path, key: rsa.RSAPrivateKey
):
    data = (versions / "2.bundle").read_bytes()
    good = bundle.verify(data, key.public_key())
    modulus = signing.modulus(key.public_key())

    def reply(piece: bytes) -> bytes | None:
        nonlocal left
        left -= 1
        chance = source.random()
        if chance < 0.6:
            return piece
        if chance < 0.7:
            return None
        return mutate(source, piece)

    outcomes: Counter[str] = Counter()
    left = PIECES
    while left > 0:
        with tempfile.TemporaryDirectory() as root:
            outcome = asyncio.run(offer(root, modulus, good.name, data, reply))
            outcomes[outcome] += 1
            if outcome == "installed":
                assert (Path(root) / "a.bundle").read_bytes() == data
            else:  # an honest host gets it through afterwards, whatever was left behind
                again = asyncio.run(offer(root, modulus, good.name, data, lambda piece: piece))
                assert again == "installed", (outcome, again)
    assert set(outcomes) <= {"installed", "silent", "corrupt", "malformed", "signature"}, outcomes
    assert outcomes["installed"] > 0
    assert outcomes["silent"] > 0
