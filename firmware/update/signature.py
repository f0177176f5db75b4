"""RSA signatures, checked on the unit: PKCS#1 v1.5 with SHA-256 (RFC 8017, section 8.2.2).

The padded block that the signature must stand for is built here and compared as a whole. Nothing
of the signer's block is parsed, so there is no ASN.1 to be lenient about.
"""

from port import const

_SHORTEST = const(384)
_LONGEST = const(512)
_EXPONENT = const(65537)

_DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
"""DigestInfo of SHA-256 in front of the digest (RFC 8017, section 9.2, note 1)."""


class PublicKey:
    """The key that signs this unit's updates: an RSA modulus, with the exponent 65537.

    Args:
        modulus: 384 to 512 bytes (3,072 to 4,096 bits), most significant first.

    Raises:
        ValueError: This cannot be the modulus of a key of that length.
    """

    def __init__(self, modulus: bytes) -> None:
        self.size = len(modulus)
        """Bytes of the modulus, and of every signature."""
        if not _SHORTEST <= self.size <= _LONGEST or modulus[0] < 128 or not modulus[-1] & 1:
            raise ValueError("the update key is no RSA modulus of 3,072 to 4,096 bits")
        self._modulus = int.from_bytes(modulus, "big")

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Whether `signature` was made for `digest` (SHA-256, 32 bytes) with this key.

        Blocks for one modular exponentiation; no input raises.
        """
        if len(signature) != self.size or len(digest) != 32:
            return False
        number = int.from_bytes(signature, "big")
        if number >= self._modulus:
            return False
        found = pow(number, _EXPONENT, self._modulus).to_bytes(self.size, "big")
        padding = b"\xff" * (self.size - 3 - len(_DIGEST_INFO) - 32)
        return found == b"\x00\x01" + padding + b"\x00" + _DIGEST_INFO + digest


def load_key(path: str) -> PublicKey:
    """The key in the file at `path`: the bare modulus, nothing else.

    Raises:
        OSError: It can't be read.
        ValueError: It holds something else.
    """
    with open(path, "rb") as file:
        return PublicKey(file.read(_LONGEST + 1))
