"""Facts: written to a journal at once, and turned into JSON when they are sent.

The wire form is host_bridge/contract/facts.py and docs/protocol.md; the form on flash is
`journal.py` with the bodies that are packed here.
"""

import json
import struct
from binascii import hexlify

from port import const

from .clock import MAX_TIME, MIN_TIME

BOOT = const(1)
TAG = const(2)
SEAT = const(3)
PROVISIONAL = const(4)
CHIP = const(5)
PRESS = const(6)
URGENT = const(7)

DROPPED = const(120)
CRASH = const(121)

MAX_MESSAGE = const(1024)
"""Longest payload in bytes, of one fact or of a batch."""

_TYPES = ("", "boot", "tag", "seat", "provisional", "chip", "press", "urgent")
_HEALTH = {DROPPED: "dropped", CRASH: "crash"}
_CAUSES = ("unknown", "power", "hard", "watchdog", "soft", "deepsleep")
_GESTURES = ("hold", "three")
_LANES = ("ordinary", "button")
_CLOCKS = ("none", "host", "sntp")
_REASON = const(80)
_CRASH = const(100)
_CLEAN = const(0x80)
_DIGEST = const(16)
_DRILL = ',"drill":true'


class Facts:
    """Gives every fact its key and time, and writes it to its lane's journal.

    Args:
        ordinary: The `Lane` of all facts but the button's.
        button: The `Lane` of the button's facts.
        uptime: The unit's `Uptime`.
        wall: The unit's `WallClock`.
    """

    def __init__(self, ordinary, button, uptime, wall) -> None:
        self._ordinary = ordinary
        self._button = button
        self._uptime = uptime
        self._wall = wall
        self._reports: list[tuple] = [(0, None), (0, None)]
        ordinary.on_stored = self._stored
        button.on_stored = lambda _: self._stored(0)

    def boot(self, cause: str, firmware: str, last, clean: bool = False) -> int:
        """The unit started; the first fact of a boot.

        Args:
            cause: A word of the contract's `Boot.cause`; others become "unknown".
            firmware: Version, at most 32 characters.
            last: (boot, ordinary, button): how far the boot before had counted, or None.
            clean: Whether the unit started again on purpose.

        Returns:
            The sequence number, as all methods here do.
        """
        number = _CAUSES.index(cause) if cause in _CAUSES else 0
        number |= _CLEAN if clean else 0
        body = struct.pack("<BIII", number, *(last or (0, 0, 0)))
        return self._write(self._ordinary, BOOT, body + _ascii(firmware, 32))

    def tag(self, digest: bytes, enrol: bool = False) -> int:
        """A tag was presented; `digest` is its 16-byte keyed hash.

        Args:
            digest: Its hash.
            enrol: It was presented to be enrolled, not to badge in.
        """
        return self._write(self._ordinary, TAG, digest + b"\x01" if enrol else digest)

    def seat(self, occupied: bool) -> int:
        """The seat became occupied or vacant."""
        return self._write(self._ordinary, SEAT, b"\x01" if occupied else b"\x00")

    def provisional(self, tap: int, verdict: str) -> int:
        """The unit showed `verdict` on its own for the tag fact with sequence number `tap`."""
        return self._write(
            self._ordinary, PROVISIONAL, struct.pack("<I", tap) + _ascii(verdict, 32)
        )

    def chip(self, chip: str, ok: bool, reason: str = "") -> int:
        """A chip failed or works again; a reason is cut to 80 characters."""
        name = _ascii(chip, 16)
        body = struct.pack("<BB", ok, len(name)) + name + _ascii(reason, _REASON)
        return self._write(self._ordinary, CHIP, body)

    def press(self, ago: int = 0, drill: bool = False) -> int:
        """The button went down, `ago` milliseconds before now; in a drill it is practice."""
        return self._write(self._button, PRESS, b"\x01" if drill else b"", ago)

    def urgent(self, gesture: str, drill: bool = False) -> int:
        """A long hold ("hold") or three quick presses ("three"); in a drill it is practice."""
        body = bytes((_GESTURES.index(gesture),))
        return self._write(self._button, URGENT, body + b"\x01" if drill else body)

    def crash(self, text: str, failed: int) -> int:
        """An earlier start crashed; `text` as `crash.condense` makes it, `failed` in a row."""
        return self._write(self._ordinary, CRASH, bytes((failed,)) + _ascii(text, _CRASH))

    def _write(self, lane, kind: int, body: bytes, ago: int = 0) -> int:
        up = max(0, self._uptime.now() - ago)
        return lane.append(kind, up, self._wall.at(up), self._wall.quality, body)

    def _stored(self, seq: int) -> None:
        """The host is there, and has this boot's ordinary facts up to `seq` (0: not said).

        What a full journal has dropped is reported now and not before, or the report would be
        dropped too; and it is remembered until the host has the report.
        """
        for number, lane in enumerate((self._ordinary, self._button)):
            lost = lane.journal.lost
            report, reported = self._reports[number]
            if not lost[0]:
                continue
            if lost != reported:
                body = struct.pack("<BIIIII", number, *lost)
                self._reports[number] = self._write(self._ordinary, DROPPED, body), lost
            elif seq >= report:
                lane.told(lost)


def encode(unit: str, boot: int, now: int, fact) -> bytes:
    """One fact as JSON.

    Args:
        unit: The unit's name.
        boot: The present boot; facts of others carry no age.
        now: Uptime now, in milliseconds.
        fact: What `Journal.read` returns.
    """
    _, kind, of, seq, up, at, clock, body = fact
    if kind in _HEALTH:
        word, rest = _HEALTH[kind], _health(kind, body)
    elif kind < len(_TYPES):
        word, rest = _TYPES[kind], _body(kind, body)
    else:  # written by a newer firmware: the host keeps unknown types as dead letters
        word, rest = "kind-%d" % kind, ',"body":"%s"' % hexlify(body).decode()
    text = '{"type":"%s","unit":"%s","boot":%d,"seq":%d,"up":%d' % (word, unit, of, seq, up)
    if of == boot:
        text += ',"age":%d' % max(0, now - up)
    if clock and clock < len(_CLOCKS) and MIN_TIME <= at <= MAX_TIME:
        text += ',"at":%d,"clock":"%s"' % (at, _CLOCKS[clock])
    return (text + rest + "}").encode()


def _body(kind: int, body: bytes) -> str:
    if kind == TAG:
        return _tag(body)
    if kind == SEAT:
        return ',"occupied":%s' % ("true" if body[0] else "false")
    if kind in (PRESS, URGENT):
        gesture = ',"gesture":"%s"' % _GESTURES[body[0]] if kind == URGENT else ""
        return gesture + _DRILL if len(body) > (kind == URGENT) else gesture
    if kind == PROVISIONAL:
        tap = struct.unpack_from("<I", body, 0)[0]
        return ',"tap":%d,"verdict":%s' % (tap, json.dumps(body[4:].decode()))
    if kind == CHIP:
        return _chip(body)
    return _boot(body) if kind == BOOT else ""


def _health(kind: int, body: bytes) -> str:
    if kind == CRASH:
        return ',"failed":%d,"text":%s' % (body[0], json.dumps(body[1:].decode()))
    lane, count, boot, seq, last_boot, last_seq = struct.unpack("<BIIIII", body)
    return ',"lane":"%s","count":%d,"first":{"boot":%d,"seq":%d},"last":{"boot":%d,"seq":%d}' % (
        _LANES[lane],
        count,
        boot,
        seq,
        last_boot,
        last_seq,
    )


def _tag(body: bytes) -> str:
    text = ',"tag":"%s"' % hexlify(body[:_DIGEST]).decode()
    return text + ',"enrol":true' if len(body) > _DIGEST else text


def _chip(body: bytes) -> str:
    split = 2 + body[1]
    text = ',"chip":"%s","ok":%s' % (body[2:split].decode(), "true" if body[0] else "false")
    if len(body) > split:
        text += ',"reason":' + json.dumps(body[split:].decode())
    return text


def _boot(body: bytes) -> str:
    cause, boot, ordinary, button = struct.unpack_from("<BIII", body, 0)
    text = ',"cause":"%s","firmware":%s' % (
        _CAUSES[cause & ~_CLEAN],
        json.dumps(body[13:].decode()),
    )
    if boot:
        text += ',"last":{"boot":%d,"ordinary":%d,"button":%d}' % (boot, ordinary, button)
    if cause & _CLEAN:
        text += ',"clean":true'
    return text


def _ascii(text: str, most: int) -> bytes:
    """The first `most` characters; what is not printable ASCII becomes a question mark.

    Over bytes, because each character that a loop over a string has ever seen stays in
    MicroPython's table of names, which grows by doubling.
    """
    utf8 = text[:most].encode()
    return bytes(c if 32 <= c <= 126 else 63 for c in utf8 if c & 0xC0 != 0x80)
