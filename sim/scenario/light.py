"""The family that a ring's colour belongs to, as a person would name it."""

from collections import Counter

from sim.shown import Colour


def family(ring: list[Colour]) -> str:
    """`red`, `green`, `blue`, `amber` or `white`, whichever most lit pixels have; else `dark`."""
    seen = Counter(_name(pixel) for pixel in ring if any(pixel))
    return seen.most_common(1)[0][0] if seen else "dark"


def _name(pixel: Colour) -> str:
    red, green, blue = (level / max(pixel) for level in pixel)
    if min(red, green, blue) > 0.6:
        return "white"
    if red > 0.6 and 0.25 < green < 0.9 and blue < 0.4:
        return "amber"
    return max(("red", red), ("green", green), ("blue", blue), key=lambda each: each[1])[0]
