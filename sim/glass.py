"""What is on the display, as text: pixels matched against the VM's own 8x8 font."""

import functools
import json
import subprocess

from sim.chips.ssd1306 import SSD1306Model
from sim.vm import command

_WIDTH = 128
_HEIGHT = 64
_CELL = 8
_KEPT = 512
_READ: dict[tuple[object, ...], list[str]] = {}
"""What chips in such a state say."""
_NOP = b"\x00\xe3"  # asked every other second: is the display still there?
_DUMP = """
import framebuf, json
cell = bytearray(8)
buffer = framebuf.FrameBuffer(cell, 8, 8, framebuf.MONO_VLSB)
glyphs = {}
for code in range(33, 127):
    buffer.fill(0)
    buffer.text(chr(code), 0, 0)
    glyphs[chr(code)] = list(cell)
print(json.dumps(glyphs))
"""


@functools.cache
def glyphs() -> dict[bytes, str]:
    """The font of the VM's framebuf: eight bytes, one a column, bit 0 on top -> character."""
    done = subprocess.run(  # noqa: S603 (our own words)
        command("-c", _DUMP),
        capture_output=True,
        check=True,
        timeout=30,
    )
    return {bytes(columns): char for char, columns in json.loads(done.stdout).items()}


class Glass:
    """The panel: takes what went over I2C, gives pixels and text."""

    def __init__(self) -> None:
        self._chip = SSD1306Model()
        self._lines: list[str] | None = None

    def write(self, message: bytes) -> None:
        """One I2C message."""
        self._chip.write(message)
        if message != _NOP:
            self._lines = None

    def power_cycle(self) -> None:
        """Dark, as after a power cut."""
        self._chip.power_cycle()
        self._lines = None

    def picture(self) -> bytes:
        """What shines: 128 x 64 pixels (MONO_VLSB)."""
        return bytes(self._chip.picture())

    def lines(self) -> list[str]:
        """Lines of text from top to bottom, large ones (scale 2) and small ones (scale 1).

        Cells on the 8-pixel grid are matched; what is no character (an icon) is left out, and
        words that stand apart keep a space between them.
        """
        if self._lines is None:
            # Looking at each pixel takes milliseconds, and desks show the same few pictures.
            state = self._chip.state()
            if state not in _READ:
                if len(_READ) >= _KEPT:
                    _READ.clear()
                _READ[state] = read(self.picture())
            self._lines = _READ[state]
        return list(self._lines)


def read(picture: bytes) -> list[str]:
    """Text in a picture of 128 x 64 pixels (MONO_VLSB)."""
    used = [[False] * (_WIDTH // _CELL) for _ in range(_HEIGHT // _CELL)]
    rows: dict[int, list[tuple[int, int, str]]] = {}
    for scale in (2, 1):
        for row in range(_HEIGHT // _CELL - scale + 1):
            for column in range(_WIDTH // _CELL - scale + 1):
                if _taken(used, row, column, scale):
                    continue
                char = glyphs().get(_cell(picture, row, column, scale) or b"")
                if char:
                    _take(used, row, column, scale)
                    rows.setdefault(row, []).append((column, scale, char))
    lines = [_line(sorted(cells)) for _, cells in sorted(rows.items())]
    return [line for line in lines if any(map(str.isalnum, line))]  # a bar is part of an icon


def _taken(used: list[list[bool]], row: int, column: int, scale: int) -> bool:
    return any(used[row + y][column + x] for y in range(scale) for x in range(scale))


def _take(used: list[list[bool]], row: int, column: int, scale: int) -> None:
    for y in range(scale):
        for x in range(scale):
            used[row + y][column + x] = True


def _cell(picture: bytes, row: int, column: int, scale: int) -> bytes | None:
    """Eight columns of a cell, shrunk by `scale`; None when its pixels are not that coarse."""
    at = row * _WIDTH + column * _CELL  # eight rows are one byte of a column
    if scale == 1:
        return picture[at : at + _CELL]
    columns = bytearray()
    for x in range(at, at + 2 * _CELL, 2):
        tall = picture[x] | picture[x + _WIDTH] << 8
        if tall != picture[x + 1] | picture[x + 1 + _WIDTH] << 8 or (tall ^ tall >> 1) & 0x5555:
            return None
        columns.append(sum((tall >> 2 * y & 1) << y for y in range(_CELL)))
    return bytes(columns)


def _line(cells: list[tuple[int, int, str]]) -> str:
    text = ""
    end = None
    for column, scale, char in cells:
        if end is not None and column > end:
            text += " "
        text += char
        end = column + scale
    return text
