"""The key that signs updates: RSA, PKCS#1 v1.5 with SHA-256 (RFC 8017, section 8.2).

A unit has big integers but no elliptic curves, and this is what it can verify with nothing else.
The private key stays where releases are made; a unit knows the modulus only.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from host_bridge.update.errors import SigningKeyError

BITS = 3072
"""Length of a new key; units take 3,072 to 4,096."""

PASSPHRASE = "CHEQUER_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Where commands look for the passphrase: an argument could be read by everybody."""

_EXPONENT = 65537
_PURPOSE = b"chequer firmware update 1\n"


def make_key(path: Path, *, passphrase: bytes | None = None, bits: int = BITS) -> rsa.RSAPublicKey:
    """Make a signing key and write it as PKCS#8 PEM, readable by its owner only (mode 0600).

    An existing file is never overwritten: units that trust its key could not be updated any more.

    Raises:
        SigningKeyError: The file exists or can't be written, or the length is not one units take.
    """
    _check_bits(bits, path)
    key = rsa.generate_private_key(_EXPONENT, bits)
    sealed = serialization.BestAvailableEncryption(passphrase) if passphrase else None
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        sealed or serialization.NoEncryption(),
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(pem)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise SigningKeyError(
            f"{path} exists and was left as it is; units that trust its key need it"
        ) from None
    except OSError as error:
        raise SigningKeyError(f"{path} can't be written: {error.strerror}") from error
    return key.public_key()


def load_key(path: Path, *, passphrase: bytes | None = None) -> rsa.RSAPrivateKey:
    """Read a signing key.

    Raises:
        SigningKeyError: The file can't be read, others may read it, it holds no such key, or the
            passphrase is wrong.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise SigningKeyError(f"{path} may be read by others; make it yours alone: chmod 600")
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as error:
        raise SigningKeyError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = "it is no private key in PEM form, or the passphrase is missing or wrong"
        raise SigningKeyError(f"{path} can't be used: {why}") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SigningKeyError(f"{path} holds a key of another kind; units verify RSA only")
    _check_bits(key.key_size, path)
    if key.public_key().public_numbers().e != _EXPONENT:
        raise SigningKeyError(f"{path}: the key's exponent is not {_EXPONENT}, which units expect")
    return key


def modulus(key: rsa.RSAPublicKey) -> bytes:
    """What a unit knows of the key: the bare modulus, most significant byte first."""
    return key.public_numbers().n.to_bytes(key.key_size // 8, "big")


def passphrase() -> bytes | None:
    """The passphrase that the environment has for a key, None if it has none."""
    return os.environ.get(PASSPHRASE, "").encode() or None


def public_key(modulus: bytes) -> rsa.RSAPublicKey:
    """The key that has this modulus.

    Raises:
        SigningKeyError: It is none, or of a length that units do not take.
    """
    try:
        key = rsa.RSAPublicNumbers(_EXPONENT, int.from_bytes(modulus, "big")).public_key()
    except ValueError as error:
        raise SigningKeyError(f"this is no public key of updates: {error}") from error
    _check_bits(key.key_size, Path("the public key"))
    return key


def sign(key: rsa.RSAPrivateKey, manifest: bytes) -> bytes:
    """The signature of a manifest, as long as the key's modulus. The same input, the same bytes."""
    return key.sign(_PURPOSE + manifest, padding.PKCS1v15(), hashes.SHA256())


def verify(key: rsa.RSAPublicKey, signature: bytes, manifest: bytes) -> bool:
    """Whether the signature is the key's own for this manifest."""
    try:
        key.verify(signature, _PURPOSE + manifest, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _check_bits(bits: int, path: Path) -> None:
    if not BITS <= bits <= 4096 or bits % 8:
        raise SigningKeyError(f"{path}: a key has {BITS} to 4096 bits, not {bits}")
