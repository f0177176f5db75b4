"""The signing key on the host, and that the unit and the host mean the same by a signature."""

from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.update import signing
from host_bridge.update.errors import SigningKeyError


def test_a_new_key_is_its_owner_s_alone_and_can_be_loaded(tmp_path: Path):
    file = tmp_path / "signing.pem"
    public = signing.make_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert signing.load_key(file).public_key().public_numbers() == public.public_numbers()
    assert len(signing.modulus(public)) == 384


def test_a_key_is_never_overwritten(tmp_path: Path):
    file = tmp_path / "signing.pem"
    file.write_bytes(b"precious")
    with pytest.raises(SigningKeyError, match="exists"):
        signing.make_key(file)
    assert file.read_bytes() == b"precious"


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path):
    file = tmp_path / "signing.pem"
    signing.make_key(file)
    file.chmod(0o640)
    with pytest.raises(SigningKeyError, match="chmod 600"):
        signing.load_key(file)


def test_a_key_with_a_passphrase_needs_it_and_no_error_shows_what_is_in_the_file(tmp_path: Path):
    file = tmp_path / "signing.pem"
    signing.make_key(file, passphrase=b"correct horse")
    assert signing.load_key(file, passphrase=b"correct horse").key_size == 3072
    for wrong in (None, b"battery staple"):
        with pytest.raises(SigningKeyError) as caught:
            signing.load_key(file, passphrase=wrong)
        assert "horse" not in str(caught.value)
        assert "-----" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nx\n", b"\xff" * 100])
def test_a_file_that_is_no_key_is_an_error_that_names_it(tmp_path: Path, content: bytes):
    file = tmp_path / "signing.pem"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SigningKeyError, match=r"signing\.pem"):
        signing.load_key(file)


def test_a_key_of_a_length_that_units_do_not_take_is_not_made(tmp_path: Path):
    with pytest.raises(SigningKeyError, match="3072"):
        signing.make_key(tmp_path / "short.pem", bits=2048)
    assert not (tmp_path / "short.pem").exists()


def test_the_unit_verifies_what_the_host_signs(key: rsa.RSAPrivateKey):
    from update.signature import PublicKey

    unit = PublicKey(signing.modulus(key.public_key()))
    signature = signing.sign(key, b"manifest")
    digest = sha256(b"chequer firmware update 1\nmanifest").digest()
    assert unit.verifies(signature, digest)
    assert signing.verify(key.public_key(), signature, b"manifest")
    changed = signature[:-1] + bytes([signature[-1] ^ 1])
    assert not unit.verifies(changed, digest)
    assert not signing.verify(key.public_key(), changed, b"manifest")


def test_a_signature_is_the_same_each_time(key: rsa.RSAPrivateKey):
    assert signing.sign(key, b"manifest") == signing.sign(key, b"manifest")
