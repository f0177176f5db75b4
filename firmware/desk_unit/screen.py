"""The 128x64 display: an icon and a word for what the ring shows in light.

Text stands on the 8x8 character grid at scale 2, so that a line has eight characters of 16x16
pixels, at positions that are multiples of 8. Marks that share the corner are written at scale 1.
"""

from port import const

from . import looks
from .face import DRILL, NO_LINK, PROVISIONAL

WIDTH = const(128)
HEIGHT = const(64)

_ICON_SCALE = const(4)
_TEXT_Y = const(32)
_LINE = const(16)
_MARK_X = const(40)

_MARKS = ((NO_LINK, "NO LINK"), (DRILL, "DRILL"), (PROVISIONAL, "PROVISIONAL"))


class Screen:
    """Draws a word's page when it has changed.

    Args:
        canvas: `framebuf.FrameBuffer` of 128x64 over the display's memory.
        glyphs: `framebuf.FrameBuffer` of 88x8, a scratch area for one line of text.
    """

    def __init__(self, canvas, glyphs) -> None:
        self._canvas = canvas
        self._glyphs = glyphs
        self._shown: "tuple | None" = None

    def draw(self, word: str, marks: int, minutes: int = 0) -> bool:
        """All of `paint` at once; holds the program for up to 40 ms on the chip.

        Returns:
            True if the canvas has changed.
        """
        steps = 0
        for _ in self.paint(word, marks, minutes):
            steps += 1
        return steps > 0

    def paint(self, word: str, marks: int, minutes: int = 0):
        """Draw `word`'s icon and text, with its marks in the corner.

        A generator of steps of 2 ms at the most on the chip, so that a press need not wait for
        the rest; it yields after each. Without any step the canvas shows it already.

        Args:
            word: What `face.Face` says; an empty one leaves the display dark.
            marks: `face.NO_LINK`, `DRILL` and `PROVISIONAL`, added up.
            minutes: Left of a break.
        """
        page = (word, marks, minutes)
        if page == self._shown:
            return
        self._shown = None  # whoever stops half-way has to begin anew
        self._canvas.fill(0)
        icon, text = looks.page(word)
        yield
        yield from self._icon(icon)
        if "%" in text:
            text = text % minutes
        top = _TEXT_Y
        for line in text.split("/") if text else ():
            yield from self._text(line, (WIDTH - 16 * len(line)) // 16 * 8, top, 2)
            top += _LINE
        yield from self._corner(marks)
        self._shown = page

    def _corner(self, marks: int):
        """One mark alone is written as large as it fits, several in small letters."""
        if marks in (NO_LINK, DRILL):
            words = "NO/LINK" if marks == NO_LINK else "DRILL"
            for i, line in enumerate(words.split("/")):
                yield from self._text(line, _MARK_X, _LINE * i, 2)
            return
        top = 0
        for mark, word in _MARKS:
            if marks & mark:
                yield from self._text(word, _MARK_X, top, 1)
                top += 8

    def _icon(self, rows: bytes):
        for y in range(len(rows)):
            for x in range(8):
                if rows[y] << x & 0x80:
                    self._square(x, y, 0, 0, _ICON_SCALE)
            yield

    def _text(self, text: str, left: int, top: int, scale: int):
        self._glyphs.fill(0)
        self._glyphs.text(text, 0, 0, 1)
        for letter in range(0, 8 * len(text), 8):
            for y in range(8):
                for x in range(letter, letter + 8):
                    if self._glyphs.pixel(x, y):
                        self._square(x, y, left, top, scale)
            yield

    def _square(self, x: int, y: int, left: int, top: int, scale: int) -> None:
        self._canvas.fill_rect(left + x * scale, top + y * scale, scale, scale, 1)
