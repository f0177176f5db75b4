"""How the unit's front looks: colours of the ring, the display's pixels as a path."""

from typing import Any

from sim.shown import Colour

WIDTH, HEIGHT = 128, 64

_GAMMA = 2.2
_FLOOR = 0.15


def leds(ring: list[Colour]) -> list[dict[str, Any]]:
    """For each pixel what a browser needs: colours of lens and glow, strength of the glow."""
    return [_led(colour) for colour in ring]


def _led(colour: Colour) -> dict[str, Any]:
    """A lit pixel as the eye sees it: brightness is linear in the duty, seeing is not."""
    top = max(colour)
    if not top:
        return {"lens": "", "glow": "", "light": 0, "title": "dark"}
    light = _FLOOR + (1 - _FLOOR) * (top / 255) ** (1 / _GAMMA)
    hue = [(part / top) ** (1 / _GAMMA) for part in colour]
    lens = [round(255 * (0.18 + 0.82 * part) * min(1, 0.3 + 1.25 * light)) for part in hue]
    glow = [round(255 * part) for part in hue]
    red, green, blue = colour
    return {
        "lens": _css(lens),
        "glow": _css(glow),
        "light": round(min(1, 1.2 * light), 2),
        "title": f"red {red}, green {green}, blue {blue}",
    }


def _css(rgb: list[int]) -> str:
    return "#" + "".join(f"{min(part, 255):02x}" for part in rgb)


def path(picture: bytes) -> str:
    """An SVG path of all lit pixels: runs of a row become rectangles of one unit's height."""
    parts = []
    for y in range(HEIGHT):
        row, bit = (y >> 3) * WIDTH, 1 << (y & 7)
        start = -1
        for x in range(WIDTH + 1):
            lit = x < WIDTH and picture[row + x] & bit
            if lit and start < 0:
                start = x
            elif not lit and start >= 0:
                parts.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
                start = -1
    return "".join(parts)
