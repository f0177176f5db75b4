"""A recording: facts as a site received them, in a file that can be played back.

The file is gzip, and in it JSON, one object a line: a `Head`, then an `Entry` for each fact in the
order in which they were committed, then a `Tail` that says how many there are. Without its tail a
file is cut off, and nothing of it is used.
"""

import gzip
import hmac
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from host_bridge.contract.facts import AnyFact, Lane, Name, Tag, UnixMilliseconds, lane_of

LONGEST_LINE = 8192
"""Bytes. A fact has 1,024 at most; no line may fill the memory."""


class Head(msgspec.Struct, kw_only=True, frozen=True, tag="recording", tag_field="is"):
    """What the file is."""

    version: Literal[1] = 1
    since: UnixMilliseconds | None = None
    until: UnixMilliseconds | None = None


class Entry(msgspec.Struct, kw_only=True, frozen=True, tag="fact", tag_field="is"):
    """A fact, when it was received (Unix milliseconds), and from which unit on which lane."""

    received: UnixMilliseconds
    site: Name
    lane: Lane
    fact: AnyFact


class Tail(msgspec.Struct, kw_only=True, frozen=True, tag="end", tag_field="is"):
    """The end: how many facts there are."""

    facts: int


class RecordingError(Exception):
    """A file is no recording, or not a whole one. The message names the line; nothing was used."""


_DAY_MS = 86_400_000
_Line = Head | Entry | Tail
_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


def rekeyed(entry: Entry, key: bytes) -> Entry:
    """The same with another hash in place of a tag's.

    With a random key that is thrown away afterwards, the file can't be linked to the site's
    register any more. A tag remains the same tag within a day (UTC, by arrival) only, so that
    nobody can be followed through a file.
    """
    fact = entry.fact
    if not isinstance(fact, Tag):
        return entry
    of_the_day = hmac.digest(key, b"%d" % (entry.received // _DAY_MS), "sha256")
    tag = hmac.digest(of_the_day, bytes.fromhex(fact.tag), "sha256")[:16].hex()
    return msgspec.structs.replace(entry, fact=msgspec.structs.replace(fact, tag=tag))


def write(file: BinaryIO, head: Head, entries: Iterable[Entry]) -> int:
    """Write a recording; how many facts it has. The bytes depend on its content only."""
    count = 0
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(_encode(head) + b"\n")
        for entry in entries:
            packed.write(_encode(entry) + b"\n")
            count += 1
        packed.write(_encode(Tail(facts=count)) + b"\n")
    return count


def read(path: Path) -> Iterator[Head | Entry]:
    """The head of a recording, then its entries; each is checked as its turn comes.

    Read to the end once before anything is done with it: only the end shows that it is whole.

    Raises:
        RecordingError: it can't be read, is no recording, or has been cut off.
    """
    number = count = 0
    ended = False
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if ended:
                    raise RecordingError(f"{path}:{number}: something follows the end")
                item = _line(path, number, line)
                if isinstance(item, Tail):
                    ended = True
                    _complete(path, number, item, count)
                    continue
                count += isinstance(item, Entry)
                yield item
    except OSError as error:  # gzip's own errors are among them
        where = f"{path}:{number + 1}" if number else str(path)
        raise RecordingError(f"{where}: can't be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise RecordingError(f"{path}:{number + 1}: the file is damaged or cut off") from error
    if not ended:
        raise RecordingError(f"{path}:{number + 1}: the file is cut off: it has no end")


def _line(path: Path, number: int, line: bytes) -> _Line:
    if len(line) > LONGEST_LINE:
        raise RecordingError(f"{path}:{number}: longer than {LONGEST_LINE} bytes")
    try:
        item: _Line = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}:{number}: no line of a recording: {error}") from error
    if isinstance(item, Head) != (number == 1):
        raise RecordingError(f"{path}:{number}: a recording has one head, on its first line")
    if isinstance(item, Entry) and lane_of(item.fact) != item.lane:
        raise RecordingError(f"{path}:{number}: this fact is not of the {item.lane} lane")
    return item


def _complete(path: Path, number: int, tail: Tail, count: int) -> None:
    if tail.facts != count:
        raise RecordingError(f"{path}:{number}: {tail.facts} facts were written, {count} are there")
