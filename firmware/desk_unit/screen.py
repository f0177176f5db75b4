"""The 128x64 display: an icon and a word for what the ring shows in light.

Text stands on the 8x8 character grid at scale 2, so that a line has eight characters of 16x16
pixels, at positions that are multiples of 8.
"""

from port import const

WIDTH = const(128)
HEIGHT = const(64)

_ICON_SCALE = const(4)
_TEXT_Y = const(32)
_LINE = const(16)
_NO_LINK_X = const(48)

_CHECK = b"\x00\x01\x02\x44\x28\x10\x00\x00"
_CROSS = b"\x00\x42\x24\x18\x18\x24\x42\x00"
_QUESTION = b"\x3c\x42\x02\x0c\x10\x00\x10\x00"
_PERSON = b"\x18\x3c\x3c\x18\x7e\xff\xff\xff"
_STOP = b"\x3c\x7e\xff\x81\x81\xff\x7e\x3c"
_BROOM = b"\x02\x04\x08\x10\x38\x7c\xfe\xaa"
_ARROW = b"\x10\x18\x1c\xfe\xfe\x1c\x18\x10"
_BELL = b"\x18\x3c\x3c\x3c\x7e\xff\x00\x18"
_CHAIR = b"\x80\x80\x80\xfc\x84\x84\x84\x00"
_CARD = b"\x00\xff\x81\xbd\x81\xb1\xff\x00"

_PAGES = {
    "pressed": (_BELL, ("PRESSED",)),
    "sent": (_ARROW, ("SENT",)),
    "stored": (_CHECK, ("STORED",)),
    "own": (_CHECK, ("YOURS",)),
    "not-yours": (_PERSON, ("NOT", "YOURS")),
    "unknown": (_QUESTION, ("UNKNOWN",)),
    "not-cleaned": (_BROOM, ("NOT", "CLEANED")),
    "elsewhere": (_ARROW, ("IN USE", "ELSEWHR")),
    "badge": (_CARD, ("BADGE OK", "HEADSET")),
    "goodbye": (_ARROW, ("GOODBYE",)),
    "cleaned": (_CHECK, ("CLEANED",)),
    "provisional": (_QUESTION, ("PROVI", "SIONAL")),
    "free": (_CHAIR, ("FREE",)),
    "reserved": (_CARD, ("RESERVED",)),
    "taken": (_PERSON, ("TAKEN",)),
    "blocked": (_STOP, ("BLOCKED",)),
    "conflict": (_CROSS, ("BLOCKED", "MOVE ON")),
    "dirty": (_BROOM, ("DIRTY",)),
    "full": (_STOP, ("FULL",)),
    "unprotected": (_CROSS, ("NO LINK",)),
    "safe": (_STOP, ("SAFEMODE", "BTN OFF")),
}


class Screen:
    """Draws a word's page when it has changed.

    Args:
        canvas: `framebuf.FrameBuffer` of 128x64 over the display's memory.
        glyphs: `framebuf.FrameBuffer` of 64x8, a scratch area for one line of text.
    """

    def __init__(self, canvas, glyphs) -> None:
        self._canvas = canvas
        self._glyphs = glyphs
        self._shown: "tuple[str, bool] | None" = None

    def draw(self, word: str, unprotected: bool) -> bool:
        """Draw `word`'s icon and text, with NO LINK in the corner while unprotected.

        Returns:
            True if the canvas has changed.
        """
        page = (word, unprotected)
        if page == self._shown:
            return False
        self._canvas.fill(0)
        icon, lines = _PAGES.get(word, (b"", ()))
        self._icon(icon)
        for i in range(len(lines)):
            self._text(lines[i], (WIDTH - 16 * len(lines[i])) // 16 * 8, _TEXT_Y + _LINE * i)
        if unprotected and word != "unprotected":
            self._text("NO", _NO_LINK_X, 0)
            self._text("LINK", _NO_LINK_X, _LINE)
        self._shown = page
        return True

    def _icon(self, rows: bytes) -> None:
        for y in range(len(rows)):
            for x in range(8):
                if rows[y] << x & 0x80:
                    self._square(x, y, 0, 0, _ICON_SCALE)

    def _text(self, text: str, left: int, top: int) -> None:
        self._glyphs.fill(0)
        self._glyphs.text(text, 0, 0, 1)
        for y in range(8):
            for x in range(8 * len(text)):
                if self._glyphs.pixel(x, y):
                    self._square(x, y, left, top, 2)

    def _square(self, x: int, y: int, left: int, top: int, scale: int) -> None:
        self._canvas.fill_rect(left + x * scale, top + y * scale, scale, scale, 1)
