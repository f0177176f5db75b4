"""What each word looks and sounds like: one table for ring, display and buzzer.

A row: word, colour, frames, icon, notes, text.

- colour: a letter of `COLOURS`.
- frames: hexadecimal, one byte for each 125 ms; bit n lights pixel n of the ring. No two words
  share a pattern, so nobody needs to tell colours apart.
- icon: a name in `_ICONS`.
- notes: as `drivers.buzzer` takes them, in hexadecimal; "-" for the neutral sound. Every verdict
  that is no welcome has that one, low and short: the room can't hear what it was.
- text: one or two lines of eight characters at the most.

A headset that is somebody else's has the white light of an unknown one: nobody is shamed in
front of the room. The table is one string because as objects it would take five times the memory.
"""

from binascii import unhexlify

COLOURS = "RGBAWD"
"""Red, green, blue, amber, white, dim white."""

_PALETTE = b"\x30\x00\x00\x00\x28\x00\x00\x00\x38\x2c\x16\x00\x18\x18\x18\x06\x06\x06"
_NEUTRAL = "0c06"
_DARK = ("", "D", "00", "", _NEUTRAL, "")

_LOOKS = """
pressed A ff bell 3c03 PRESSED
sent A 0f1e3c78f0e1c387 arrow - SENT
stored G ffffff00 check 180800042408 STORED
seen G 814224182442 person 18061e06240c SEEN
own G 7e check 1a062208 YOURS
not-yours W 5555aaaa person - NOT/YOURS
unknown W 11224488 question - UNKNOWN
not-cleaned A 3333cccc broom - NOT/CLEANED
elsewhere B 0f0ff0f0 arrow - IN USE/ELSEWHR
badge B 0103070f1f3f7fff card 1a06 BADGE OK/HEADSET
badge-first W 0101050515155555 card - BADGE/FIRST
goodbye W ff7f3f1f0f070301 arrow 22061a08 GOODBYE
cleaned G 81c3e7ff check 1a062208 CLEANED
withdrawn B ff7e3c180000 arrow 22061a06140a WITH/DRAWN
enrol B 1122448800000000 card - READY TO/ENROL
enrolled G 113377ff check 1a062208 ENROLLED
already-known W 7777eeee card - ALREADY/KNOWN
break-offer B 0c0c0c0c30303030 chair - BREAK?/STAND UP
break B c3 chair - BREAK/%d MIN
provisional W 181818000000 question - PROVI/SIONAL
free G 10 chair - FREE
reserved B 44 card - RESERVED
taken D 38 person - TAKEN
blocked R aa stop - BLOCKED
conflict R aaaaaaaa00000000 cross - BLOCKED/MOVE ON
dirty A 6c6c6c6c6c6c363636363636 broom - DIRTY
full R fe stop - FULL
unprotected R 8383838383830101 cross - NO LINK
safe A 8181818118181818 stop - SAFEMODE/BTN ON
deaf R 1818181881818181 stop - SAFEMODE/BTN OFF
"""

_ICONS = """
check 0001024428100000
cross 0042241818244200
question 3c42020c10001000
person 183c3c187effffff
stop 3c7eff8181ff7e3c
broom 02040810387cfeaa
arrow 10181cfefe1c1810
bell 183c3c3c7eff0018
chair 808080f888888800
card 00ff81bd81b1ff00
"""


def light(word: str):
    """(colour, frames) of a word: three bytes, and a byte a frame. An unknown word is dark."""
    row = _row(word)
    at = 3 * COLOURS.index(row[1])
    return _PALETTE[at : at + 3], unhexlify(row[2])


def notes(word: str) -> bytes:
    """The word's sound, the neutral one if it has none of its own."""
    row = _row(word)
    return unhexlify(_NEUTRAL if row[4] == "-" else row[4])


def page(word: str):
    """(icon, text): eight bytes, one a row, and lines with "/" between them."""
    row = _row(word)
    icon = _find(_ICONS, row[3], 1)
    return unhexlify(icon[1]) if icon else b"", row[5]


def _row(word: str):
    return _find(_LOOKS, word, 5) or _DARK


def _find(table: str, word: str, splits: int):
    """The fields of a word's row, None when there is none."""
    at = table.find("\n%s " % word)
    return table[at + 1 : table.find("\n", at + 1)].split(" ", splits) if at >= 0 else None
