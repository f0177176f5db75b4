"""The picture of the front is true: every pixel, every colour."""

import random
import re

from sim.workbench.front import HEIGHT, WIDTH, leds, path


def drawn(text: str) -> set[tuple[int, int]]:
    """The pixels that an SVG path of rectangles covers."""
    pixels = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", text):
        pixels |= {(int(x) + i, int(y)) for i in range(int(width))}
    return pixels


def test_the_path_covers_exactly_the_lit_pixels() -> None:
    dice = random.Random(3)
    for picture in (bytes(1024), b"\xff" * 1024, dice.randbytes(1024)):
        lit = {
            (x, y)
            for x in range(WIDTH)
            for y in range(HEIGHT)
            if picture[(y >> 3) * WIDTH + x] >> (y & 7) & 1
        }
        assert drawn(path(picture)) == lit


def test_a_dark_pixel_does_not_glow_and_a_brighter_one_glows_more() -> None:
    dark, dim, bright = leds([(0, 0, 0), (6, 6, 6), (48, 48, 48)])
    assert dark["light"] == 0 and not dark["lens"]
    assert 0 < dim["light"] < bright["light"] <= 1
    assert dim["lens"] < bright["lens"]


def test_a_pixel_has_the_hue_that_it_was_sent() -> None:
    for colour in ((48, 0, 0), (0, 40, 0), (0, 0, 56), (44, 22, 0)):
        [led] = leds([colour])
        for shade in (led["lens"], led["glow"]):
            parts = [int(shade[i : i + 2], 16) for i in (1, 3, 5)]
            assert parts.index(max(parts)) == colour.index(max(colour))
            assert sorted(parts) == [part for _, part in sorted(zip(colour, parts, strict=True))]
        assert led["title"] == "red {}, green {}, blue {}".format(*colour)
