"""Tags that the host has judged at this desk, for verdicts when it does not answer.

Bounded and small: 64 tags of 20 bytes each, the least recently used goes first. What is known
comes from the host's verdicts only, and is forgotten 72 hours after the last one. Times are whole
hours: nobody needs to know from a stolen unit who came when.
"""

from binascii import crc32

from port import const

HEADSET = const(1)
BADGE = const(2)
CLEANER = const(3)

MOST = const(64)
"""How many tags are known at the most."""

KEEP_HOURS = const(72)
"""For how long after the host's last verdict."""

_DIGEST = const(16)
_ENTRY = const(20)
_MAGIC = b"CQK1"
_SEAL = const(8)


class Known:
    """The tags, most recently used first.

    Saved: magic, seal, entries (hash, kind, hour at which it expires, little-endian) and the
    CRC-32 of all that. Anything else, or the seal of another site key, is an empty list.

    Args:
        file: Has `load()`, which returns what was saved last or raises OSError, and
            `save(data)`, which a power cut must not leave half done. None keeps nothing.
        seal: 8 bytes made from the site key: under another key the hashes mean nothing.
    """

    def __init__(self, file, seal: bytes) -> None:
        self._file = file
        self._seal = seal
        self._entries = bytearray()
        self._newest = 0
        self.fault = ""
        """Why nothing can be saved; empty when all is well."""
        self.unsaved = self._load()
        """Whether there is something to `save`."""

    def __len__(self) -> int:
        return len(self._entries) // _ENTRY

    def kind(self, digest: bytes, hour: int) -> int:
        """`HEADSET`, `BADGE` or `CLEANER`; 0 for a tag that is not known any more.

        Args:
            digest: The tag's hash.
            hour: Hours since 1970, or 0 when nobody has told the unit the time: then the newest
                entry says how late it must be at least.
        """
        at = self._find(digest)
        if at < 0:
            return 0
        if max(hour, self._newest) >= self._expiry(at):
            self._drop(at)
            return 0
        kind = self._entries[at + _DIGEST]
        self._put(at, kind, self._expiry(at), digest)
        return kind

    def learn(self, digest: bytes, kind: int, hour: int) -> None:
        """The host's verdict has shown what this tag is."""
        at = self._find(digest)
        expiry = hour + KEEP_HOURS
        if at < 0 or self._entries[at + _DIGEST] != kind or self._expiry(at) != expiry:
            self.unsaved = True
        self._newest = max(self._newest, hour)
        self._put(at, kind, expiry, digest)

    def forget(self, digest: bytes) -> None:
        """The host does not know this tag (any more)."""
        at = self._find(digest)
        if at >= 0:
            self._drop(at)

    def save(self) -> None:
        """Write, if anything has changed; blocks for as long as the file takes."""
        if not self.unsaved:
            return
        self.unsaved = False
        if self._file is None:
            return
        data = _MAGIC + self._seal + self._entries
        try:
            self._file.save(data + crc32(data).to_bytes(4, "little"))
            self.fault = ""
        except OSError as error:
            self.fault = "known tags not saved: %s" % error

    def _load(self) -> bool:
        """Take what was saved; True when something was there that is of no use."""
        try:
            data = self._file.load() if self._file else b""
        except OSError:  # a new unit
            return False
        if not data:
            return False
        head = len(_MAGIC) + _SEAL
        body = len(data) - head - 4
        if (
            body < 0
            or body % _ENTRY
            or body > MOST * _ENTRY
            or data[:head] != _MAGIC + self._seal
            or crc32(data[:-4]).to_bytes(4, "little") != data[-4:]
        ):
            return True
        self._entries = bytearray(data[head:-4])
        for at in range(0, body, _ENTRY):
            self._newest = max(self._newest, self._expiry(at) - KEEP_HOURS)
        return False

    def _find(self, digest: bytes) -> int:
        for at in range(0, len(self._entries), _ENTRY):
            if self._entries[at : at + _DIGEST] == digest:
                return at
        return -1

    def _expiry(self, at: int) -> int:
        return int.from_bytes(self._entries[at + 17 : at + _ENTRY], "little")

    def _put(self, at: int, kind: int, expiry: int, digest: bytes) -> None:
        """Write an entry at the front; `at` is where it was, or -1."""
        rest = self._entries if at < 0 else self._entries[:at] + self._entries[at + _ENTRY :]
        front = digest + bytes((kind,)) + expiry.to_bytes(3, "little")
        self._entries = (bytearray(front) + rest)[: MOST * _ENTRY]

    def _drop(self, at: int) -> None:
        self._entries = self._entries[:at] + self._entries[at + _ENTRY :]
        self.unsaved = True
