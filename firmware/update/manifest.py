"""The manifest of an update: for whom it is, and every file with its size and SHA-256.

Text, ASCII, one item a line, each line in its place and spelled in one way only (docs/update.md has
the grammar). It is read line by line from flash, so that it never stands in memory as a whole.
"""

from binascii import unhexlify

from port import const

from .refusal import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MAX_MANIFEST = const(12288)
"""Longest manifest in bytes."""

MAX_FILES = const(120)
"""Most files in an update."""

MAX_FILE = const(65536)
"""Largest file in bytes."""

MAX_TOTAL = const(131072)
"""Most bytes of all files together: two slots of this size fit on a unit."""

_MAX_LINE = const(160)
_MAX_PATH = const(64)
_MAX_NAME = const(32)
_MAX_DEPTH = const(4)
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_"
_PRODUCT_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-"


class Identity:
    """What a unit is, against which a manifest is held.

    Args:
        product: The product's name, "desk-unit".
        hardware: The revision of this unit's board, from 1.
        version: The version that runs now, 0 if that is not known.
        mpy: The version of `.mpy` files that the interpreter loads.
    """

    def __init__(self, product: str, hardware: int, version: int, mpy: int) -> None:
        self.product = product
        self.hardware = hardware
        self.version = version
        self.mpy = mpy


class Manifest:
    """A manifest that was read and found sound.

    Args:
        file: Open for reading bytes, at the manifest's first byte.
        length: Bytes of the manifest.

    Raises:
        Refused: `malformed`; nothing else, whatever the bytes are.
    """

    def __init__(self, file: "BinaryIO", length: int) -> None:
        self._lines = _Lines(file, length)
        if self._lines.words("chequer-update", 1) != [b"1"]:
            raise _malformed("not a manifest of format 1")
        self.product = self._product()
        self.hardware = [_number(word) for word in self._lines.words("hardware", 16)]
        self.mpy = _number(self._lines.words("mpy", 1)[0])
        self.version = _number(self._lines.words("version", 1)[0])
        """This version; later ones have higher numbers."""
        self.requires = _number(self._lines.words("requires", 1)[0])
        """The lowest version that can be replaced by this one."""
        self.downgrade = _number(self._lines.words("downgrade", 1)[0])
        """The highest version that this one may replace although its own number is lower."""
        words = self._lines.words("files", 2)
        if len(words) != 2:
            raise _malformed("'files' takes a count and a size")
        self.count, self.total = _number(words[0]), _number(words[1])
        """Number of files, and bytes of all files together."""
        if not self.version or not 1 <= self.count <= MAX_FILES or self.total > MAX_TOTAL:
            raise _malformed("a number is out of range")

    def files(self) -> "Iterator[tuple[str, int, bytes]]":
        """Each file's path, size in bytes and SHA-256, in the order in which they travel.

        Can be gone through once.

        Raises:
            Refused: `malformed`, at the line that is wrong or after the last.
        """
        before = ""
        total = 0
        for _ in range(self.count):
            words = self._lines.words("file", 3)
            if len(words) != 3:
                raise _malformed("'file' takes a hash, a size and a path")
            path, size = _path(words[2]), _number(words[1])
            total += size
            if path <= before or not size or size > MAX_FILE:
                raise _malformed("files out of order, or of a wrong size")
            yield path, size, _digest(words[0])
            before = path
        if total != self.total or self._lines.left:
            raise _malformed("the files do not add up")

    def read_on(self, file: "BinaryIO") -> None:
        """Take the next lines from this file, which stands where the one so far stood."""
        self._lines.file = file

    def hold_against(self, unit: Identity) -> None:
        """Raise `Refused` unless this version is meant for `unit` and may replace what it runs."""
        if self.product != unit.product:
            raise Refused("product", "the update is for another product, " + self.product)
        if unit.hardware not in self.hardware:
            raise Refused("hardware", "the update is not for hardware %d" % unit.hardware)
        if self.mpy != unit.mpy:
            raise Refused("mpy", "the update is for .mpy %d, not %d" % (self.mpy, unit.mpy))
        if unit.version < self.requires:
            raise Refused("requires", "install version %d or later before this one" % self.requires)
        if self.version == unit.version:
            raise Refused("version", "version %d runs already" % self.version)
        if self.version < unit.version and self.downgrade < unit.version:
            raise Refused(
                "version",
                "version %d is older than %d, and it is not signed to replace that"
                % (self.version, unit.version),
            )

    def _product(self) -> str:
        word = self._lines.words("product", 1)[0]
        if len(word) > _MAX_NAME or _strange(word, _PRODUCT_LETTERS):
            raise _malformed("a product's name has small letters, digits and hyphens")
        return word.decode()


class _Lines:
    """Lines of a bounded part of a file."""

    def __init__(self, file: "BinaryIO", length: int) -> None:
        self.file = file
        self.left = length

    def words(self, keyword: str, most: int) -> "list[bytes]":
        """What follows `keyword` in the next line: 1 to `most` words, one space before each."""
        line = self.file.readline(min(_MAX_LINE, self.left) + 1)
        self.left -= len(line)
        if self.left < 0 or line[-1:] != b"\n":
            raise _malformed("a line is too long, or the last has no end")
        words = line[:-1].split(b" ")
        if words[0] != keyword.encode() or not 2 <= len(words) <= most + 1 or b"" in words:
            raise _malformed("'" + keyword + "' expected")
        return words[1:]


def _malformed(why: str) -> Refused:
    return Refused("malformed", "the update's manifest is malformed: " + why)


def _strange(word: bytes, letters: bytes) -> bool:
    for letter in word:  # noqa: SIM110
        if letter not in letters:
            return True
    return False


def _number(word: bytes) -> int:
    """A decimal number in its only spelling: no sign, no leading zero."""
    if len(word) > 9 or _strange(word, b"0123456789") or (word[0] == 48 and len(word) > 1):
        raise _malformed("a number is wrong")
    return int(word)


def _digest(word: bytes) -> bytes:
    if len(word) != 64 or _strange(word, b"0123456789abcdef"):
        raise _malformed("a SHA-256 has 64 hexadecimal digits")
    return unhexlify(word)


def _path(word: bytes) -> str:
    """A relative path of plain names that ends in `.mpy`: nothing that could lead elsewhere."""
    if len(word) > _MAX_PATH or word[-4:] != b".mpy":
        raise _malformed("a file's path is too long, or does not end in .mpy")
    names = word[:-4].split(b"/")
    for name in names:
        if not 1 <= len(name) <= _MAX_NAME or _strange(name, _LETTERS):
            raise _malformed("a file's path has an odd name")
    if len(names) > _MAX_DEPTH:
        raise _malformed("a file's path is too deep")
    return word.decode()
