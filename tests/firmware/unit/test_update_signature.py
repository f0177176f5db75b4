# Runs on MicroPython too, which has neither pathlib nor pytest.
"""RSA signatures on the unit: the one right block is taken, and nothing that resembles it."""

from hashlib import sha256

from tests.firmware.unit.update_release import _N, _SHA256, KEY, MODULUS, block, raw_sign
from update.signature import PublicKey

DIGEST = sha256(b"what was signed").digest()


def test_the_signature_of_a_digest_verifies_for_that_digest_only():
    signature = raw_sign(block(DIGEST))
    assert KEY.verifies(signature, DIGEST)
    assert not KEY.verifies(signature, sha256(b"something else").digest())


def test_a_block_that_only_resembles_the_right_one_is_refused():
    absent_null = _SHA256.replace(b"\x30\x31\x30\x0d", b"\x30\x2f\x30\x0b").replace(
        b"\x05\x00", b""
    )
    sha1 = _SHA256.replace(b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", b"\x2b\x0e\x03\x02\x1a")
    forged = [
        b"\x00\x02" + block(DIGEST)[2:],  # the type for encryption
        b"\x00\x01" + b"\xff" * 329 + b"\xfe\x00" + _SHA256 + DIGEST,  # a hole in the padding
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + _SHA256 + DIGEST + b"\x55" * 322,  # bytes behind it
        b"\x00\x01" + b"\xff" * 332 + b"\x00" + absent_null + DIGEST,  # DER's other spelling
        (b"\x00\x01" + b"\xff" * 335 + b"\x00" + sha1 + DIGEST)[:384],  # another hash's name
        b"\x00\x01" + b"\xff" * 349 + b"\x00" + DIGEST,  # no name of a hash
        b"\x00" * 384,
    ]
    for padded in forged:
        assert not KEY.verifies(raw_sign((padded + b"\x00" * 384)[:384]), DIGEST), padded


def test_only_the_number_below_the_modulus_and_of_its_length_is_a_signature():
    signature = raw_sign(block(DIGEST))
    twice = int.from_bytes(signature, "big") + _N
    if twice < 1 << 3072:
        assert not KEY.verifies(twice.to_bytes(384, "big"), DIGEST)
    assert not KEY.verifies(b"\x00" + signature, DIGEST)
    assert not KEY.verifies(signature[:-1], DIGEST)
    assert not KEY.verifies(b"", DIGEST)
    assert not KEY.verifies(MODULUS, DIGEST)
    assert not KEY.verifies(b"\xff" * 384, DIGEST)


def test_a_short_even_or_padded_modulus_is_no_key():
    for modulus in (
        b"",
        MODULUS[:256],
        MODULUS + MODULUS,
        b"\x00" + MODULUS,
        MODULUS[:-1] + b"\x02",
    ):
        try:
            PublicKey(modulus)
        except ValueError:
            continue
        raise AssertionError("taken for a key: %d bytes" % len(modulus))
