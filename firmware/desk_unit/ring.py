"""The ring of eight pixels: each word has a colour and a pattern of its own, see `looks.py`.

Marks stand beside every word: pixel 0 is red while nobody can hear a press, pixel 4 blue while
presses are practice; a verdict that is the unit's own blinks.
"""

from port import const

from . import looks
from .face import DRILL, NO_LINK, PROVISIONAL

PIXELS = const(8)
FRAME_MS = const(125)

NIGHT = const(72)
"""Brightness at night, of 255: the dimmest colour can still be seen."""

_RED = b"\x30\x00\x00"
_BLUE = b"\x00\x00\x38"


class Ring:
    """Draws a word on the pixels; sends only what has changed.

    Args:
        pixels: Has `set(i, r, g, b)`, `fill(r, g, b)`, `show()` and `brightness`, as
            drivers.ws2812.
    """

    def __init__(self, pixels) -> None:
        self._pixels = pixels
        self._word = ""
        self._colour, self._frames = looks.light("")
        self._shown: "tuple | None" = None

    def draw(self, word: str, marks: int, now: int, night: bool = False) -> None:
        """Show `word` at uptime `now` (ms); an unknown or empty word leaves the ring dark.

        Args:
            word: What `face.Face` says.
            marks: `face.NO_LINK`, `DRILL` and `PROVISIONAL`, added up.
            now: Uptime in milliseconds.
            night: Dimmed.
        """
        if word != self._word:
            self._word = word
            self._colour, self._frames = looks.light(word)
        frame = self._frames[now // FRAME_MS % len(self._frames)]
        if marks & PROVISIONAL and now // FRAME_MS & 2:
            frame = 0
        picture = (self._colour, frame, marks & (NO_LINK | DRILL), night)
        if picture == self._shown:
            return
        pixels = self._pixels
        pixels.brightness = NIGHT if night else 255
        pixels.fill(0, 0, 0)
        for i in range(PIXELS):
            if frame >> i & 1:
                pixels.set(i, *self._colour)
        if marks & NO_LINK:
            pixels.set(0, *_RED)
        if marks & DRILL:
            pixels.set(4, *_BLUE)
        pixels.show()
        self._shown = picture
