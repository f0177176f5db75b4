"""The ring of eight pixels: each word has a colour and a pattern of its own.

A pattern is a sequence of frames, 125 ms each; bit n of a frame lights pixel n. No two words
share a pattern, so nobody needs to tell colours apart. Pixel 0 stays red while nobody can hear
a press. A headset that is somebody else's gets the same white as an unknown one: nobody is
shamed in front of the room.
"""

from port import const

PIXELS = const(8)
FRAME_MS = const(125)

_RED = (48, 0, 0)
_GREEN = (0, 40, 0)
_BLUE = (0, 0, 56)
_AMBER = (44, 22, 0)
_WHITE = (24, 24, 24)
_DIM_WHITE = (6, 6, 6)

_LOOKS = {
    "pressed": (_AMBER, b"\xff"),
    "sent": (_AMBER, b"\x0f\x1e\x3c\x78\xf0\xe1\xc3\x87"),
    "stored": (_GREEN, b"\xff\xff\xff\x00"),
    "own": (_GREEN, b"\x7e"),
    "not-yours": (_WHITE, b"\x55\x55\xaa\xaa"),
    "unknown": (_WHITE, b"\x11\x22\x44\x88"),
    "not-cleaned": (_AMBER, b"\x33\x33\xcc\xcc"),
    "elsewhere": (_BLUE, b"\x0f\x0f\xf0\xf0"),
    "badge": (_BLUE, b"\x01\x03\x07\x0f\x1f\x3f\x7f\xff"),
    "goodbye": (_WHITE, b"\xff\x7f\x3f\x1f\x0f\x07\x03\x01"),
    "cleaned": (_GREEN, b"\x81\xc3\xe7\xff"),
    "provisional": (_WHITE, b"\x18\x18\x18\x00\x00\x00"),
    "free": (_GREEN, b"\x10"),
    "reserved": (_BLUE, b"\x44"),
    "taken": (_DIM_WHITE, b"\x38"),
    "blocked": (_RED, b"\xaa"),
    "conflict": (_RED, b"\xaa\xaa\xaa\xaa\x00\x00\x00\x00"),
    "dirty": (_AMBER, b"\x6c\x6c\x6c\x6c\x6c\x6c\x36\x36\x36\x36\x36\x36"),
    "full": (_RED, b"\xfe"),
    "safe": (_RED, b"\x81\x81\x81\x81\x18\x18\x18\x18"),
    "unprotected": (_RED, b"\x83\x83\x83\x83\x83\x83\x01\x01"),
}


class Ring:
    """Draws a word on the pixels; sends only what has changed.

    Args:
        pixels: Has `set(i, r, g, b)`, `fill(r, g, b)` and `show()`, as drivers.ws2812.
    """

    def __init__(self, pixels) -> None:
        self._pixels = pixels
        self._shown: "tuple[tuple[int, int, int], int, bool] | None" = None

    def draw(self, word: str, unprotected: bool, now: int) -> None:
        """Show `word` at uptime `now` (ms); an unknown or empty word leaves the ring dark."""
        colour, frames = _LOOKS.get(word, (_DIM_WHITE, b"\x00"))
        frame = frames[now // FRAME_MS % len(frames)]
        picture = (colour, frame, unprotected)
        if picture == self._shown:
            return
        pixels = self._pixels
        pixels.fill(0, 0, 0)
        for i in range(PIXELS):
            if frame >> i & 1:
                pixels.set(i, *colour)
        if unprotected:
            pixels.set(0, *_RED)
        pixels.show()
        self._shown = picture
