"""Tags: a card's UID becomes a keyed hash before anything else may see it."""

from hashlib import sha256

from port import const

_BLOCK = const(64)


class TagHash:
    """HMAC-SHA256 (RFC 2104) with the site's key, cut to its first 16 bytes.

    Args:
        key: The site key, any length; 16 bytes or more are sensible.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            key = sha256(key).digest()
        padded = key + bytes(_BLOCK - len(key))
        self._inner = bytes(byte ^ 0x36 for byte in padded)
        self._outer = bytes(byte ^ 0x5C for byte in padded)

    def __call__(self, uid: bytes) -> bytes:
        """16 bytes that stand for the tag at this site, and at no other."""
        inner = sha256(self._inner)
        inner.update(uid)
        outer = sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()[:16]
