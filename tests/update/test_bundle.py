"""Building, signing, reading and handing out bundles on the host."""

import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.contract.messages import MAX_PIECE, Want
from host_bridge.update import bundle, manifest
from host_bridge.update.errors import UpdateError


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small firmware."""
    folder = tmp_path / "firmware"
    (folder / "inner").mkdir(parents=True)
    (folder / "main.py").write_text("import app\n")
    (folder / "port_cpython.py").write_text("import asyncio\n")
    (folder / "loader.py").write_text("import update\n")
    (folder / "app.py").write_text("from inner import part\n\nprint(part.NAME)\n")
    (folder / "inner" / "part.py").write_text("NAME = 'x'\n" * 200)
    return folder


def test_the_same_sources_give_the_same_bytes_wherever_they_lie(
    sources: Path, tmp_path: Path, key: rsa.RSAPrivateKey
):
    elsewhere = shutil.copytree(sources, tmp_path / "an other" / "place")
    first = bundle.sign(bundle.build(sources, 3, hardware=[2, 1]), key)
    second = bundle.sign(bundle.build(elsewhere, 3, hardware=[1, 2]), key)
    assert first == second


def test_what_starts_a_unit_and_what_is_for_cpython_stays_out(sources: Path):
    unsigned = bundle.build(sources, 3, hardware=[1])
    paths = [file.path for file in manifest.decode(unsigned.manifest).files]
    assert paths == ["app.mpy", "inner/part.mpy"]


def test_a_source_with_an_error_is_named(sources: Path):
    (sources / "app.py").write_text("def\n")
    with pytest.raises(UpdateError, match=r"app\.py does not compile"):
        bundle.build(sources, 3, hardware=[1])


def test_native_code_is_not_packed(sources: Path):
    (sources / "app.py").write_text("@micropython.native\ndef f():\n    return 1\n")
    with pytest.raises(UpdateError, match="compile"):
        bundle.build(sources, 3, hardware=[1])


@pytest.mark.parametrize("name", ["Upper.py", "a-b.py", "x" * 33 + ".py", "a.b.py"])
def test_a_name_that_units_refuse_is_refused_when_building(sources: Path, name: str):
    (sources / name).write_text("pass\n")
    with pytest.raises(UpdateError, match="manifest"):
        bundle.build(sources, 3, hardware=[1])


@pytest.mark.parametrize(
    "values",
    [
        {"version": 0},
        {"version": 2**31},
        {"hardware": []},
        {"product": "Desk Unit"},
        {"requires": -1},
        {"downgrade": -1},
    ],
)
def test_values_that_units_refuse_are_refused_when_building(sources: Path, values: dict):
    values = {"version": 3, "hardware": [1], **values}
    with pytest.raises(UpdateError):
        bundle.build(sources, **values)


def test_every_byte_of_a_bundle_is_under_the_signature(sources: Path, key: rsa.RSAPrivateKey):
    signed = bundle.sign(bundle.build(sources, 3, hardware=[1]), key)
    assert bundle.verify(signed.data, key.public_key()) == signed
    for position in range(len(signed.data)):
        changed = bytearray(signed.data)
        changed[position] ^= 0x10
        with pytest.raises(UpdateError):
            bundle.verify(bytes(changed), key.public_key())
    for odd in (b"", signed.data[:-1], signed.data + b"\x00", signed.data[:100]):
        with pytest.raises(UpdateError):
            bundle.verify(odd, key.public_key())


def test_another_key_s_bundle_is_refused(sources: Path, key: rsa.RSAPrivateKey):
    signed = bundle.sign(bundle.build(sources, 3, hardware=[1]), key)
    other = rsa.generate_private_key(65537, 3072)
    with pytest.raises(UpdateError, match="not signed"):
        bundle.verify(signed.data, other.public_key())


def test_the_pieces_are_the_bundle(sources: Path, key: rsa.RSAPrivateKey):
    signed = bundle.sign(bundle.build(sources, 3, hardware=[1]), key)
    pieces = list(bundle.pieces(signed))
    assert b"".join(piece.data for piece in pieces) == signed.data
    assert max(len(piece.data) for piece in pieces) == MAX_PIECE
    for piece in pieces:
        want = Want(bundle=signed.name, offset=piece.offset, size=len(piece.data))
        assert bundle.answer(signed, want) == piece


def test_what_is_not_of_the_bundle_is_not_answered(sources: Path, key: rsa.RSAPrivateKey):
    signed = bundle.sign(bundle.build(sources, 3, hardware=[1]), key)
    end = len(signed.data)
    assert bundle.answer(signed, Want(bundle=signed.name, offset=end - 1, size=2)) is None
    assert bundle.answer(signed, Want(bundle=signed.name, offset=end, size=1)) is None
    assert bundle.answer(signed, Want(bundle="0" * 32, offset=0, size=1)) is None


def test_the_largest_piece_fits_in_a_message(sources: Path):
    from host_bridge.contract.facts import MAX_MESSAGE
    from host_bridge.contract.messages import Piece

    piece = Piece(bundle="f" * 32, offset=2**20, data=b"\xff" * MAX_PIECE)
    assert len(msgspec.json.encode(piece)) <= MAX_MESSAGE


def test_host_and_unit_have_the_same_limits():
    from update import manifest as unit
    from update.updater import PIECE

    assert PIECE == MAX_PIECE
    for name in ("MAX_MANIFEST", "MAX_FILES", "MAX_FILE", "MAX_TOTAL"):
        assert getattr(unit, name) == getattr(manifest, name), name


def test_the_unit_reads_the_version_of_a_bundle_signed_or_not(
    sources: Path, key: rsa.RSAPrivateKey, tmp_path: Path
):
    from update.head import version_at

    unsigned = bundle.build(sources, 3, hardware=[1])
    for made in (bundle.sign(unsigned, key), bundle.leave_unsigned(unsigned)):
        (tmp_path / "a.bundle").write_bytes(made.data)
        assert version_at(str(tmp_path / "a.bundle")) == 3
    (tmp_path / "a.bundle").write_bytes(made.data[:20])
    assert version_at(str(tmp_path / "a.bundle")) == 0
    assert version_at(str(tmp_path / "b.bundle")) == 0


def test_a_bundle_without_a_signature_is_read_but_never_verified(
    sources: Path, key: rsa.RSAPrivateKey
):
    made = bundle.leave_unsigned(bundle.build(sources, 3, hardware=[1]))
    assert bundle.read(made.data) == made
    assert not made.signed
    with pytest.raises(UpdateError, match="not signed"):
        bundle.verify(made.data, key.public_key())


def test_two_paths_that_a_unit_could_not_tell_apart_are_refused_when_building(sources: Path):
    # crc32(b"plumless.mpy") is not crc32(b"buckeroo.mpy"), but without ".mpy" folders collide.
    for name in ("plumless", "buckeroo"):
        (sources / name).mkdir()
        (sources / name / "x.py").write_text("pass\n")
    with pytest.raises(UpdateError, match="CRC-32"):
        bundle.build(sources, 3, hardware=[1])
