"""Amounts in sentences: times, counts and ranges, from which the seed chooses."""

import random
import re

import msgspec

from sim.scenario.errors import WordingError

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_NUMBER = r"\d+(?:\.\d+)?"
_UNIT = "ms|s|min|h"
_TIME = re.compile(
    rf"(?P<low>{_NUMBER}) ?(?P<low_unit>{_UNIT})?"
    rf"(?: ?\.\. ?(?P<high>{_NUMBER}) ?(?P<high_unit>{_UNIT}))?"
)
_COUNT = re.compile(r"(?P<low>\d+)(?:\.\.(?P<high>\d+))?")
_SHARE = re.compile(rf"(?P<number>{_NUMBER}) ?(?P<percent>%)?")
_RATE = re.compile(r"(?P<ppm>\d+) ?ppm (?P<way>fast|slow)")
_LEAST = re.compile(r"(?P<bound>at least|at most)? ?(?P<number>\d+|no)")
LONGEST_S = 8 * 24 * 3600.0
MOST = 100_000
MOST_PPM = 10_000


class Span(msgspec.Struct, frozen=True):
    """A time in seconds, or a range of it."""

    low: float
    high: float

    def choose(self, dice: random.Random) -> float:
        """A time within the range."""
        return self.low if self.low == self.high else dice.uniform(self.low, self.high)


class Number(msgspec.Struct, frozen=True):
    """A count, or a range of it."""

    low: int
    high: int

    def choose(self, dice: random.Random) -> int:
        """A count within the range."""
        return self.low if self.low == self.high else dice.randint(self.low, self.high)


class Amount(msgspec.Struct, frozen=True):
    """How many are expected: so many, at least so many, at most so many."""

    number: int
    bound: str = ""

    def holds(self, found: int) -> bool:
        """Is it as many as expected?"""
        if self.bound == "at least":
            return found >= self.number
        return found <= self.number if self.bound == "at most" else found == self.number


def span(text: str) -> Span:
    """Read `3s`, `250 ms`, `2s..5s` or `2..5s`."""
    match = _TIME.fullmatch(text.strip())
    expected = f"expected a time such as 3s, 250ms, 2min or 2s..5s, found {text!r}"
    if not match:
        raise WordingError(expected)
    unit = match["high_unit"] or match["low_unit"]
    if match["low_unit"] is None and match["high"] is None:
        raise WordingError(f"{expected}: it needs a unit")
    low = float(match["low"]) * _SECONDS[match["low_unit"] or unit]
    high = float(match["high"]) * _SECONDS[unit] if match["high"] else low
    if not low <= high <= LONGEST_S:
        raise WordingError(f"{expected}: the smaller one first, and at most eight days")
    return Span(low, high)


def share(text: str) -> float:
    """Read `2 %` or `0.02`, a part of a whole."""
    match = _SHARE.fullmatch(text.strip())
    found = float(match["number"]) / (100 if match["percent"] else 1) if match else -1.0
    if not 0 <= found <= 1:
        raise WordingError(f"expected a share such as 2 % or 0.02, found {text!r}")
    return found


def number(text: str) -> Number:
    """Read `3` or `3..6`."""
    match = _COUNT.fullmatch(text.strip())
    if not match:
        raise WordingError(f"expected a number such as 3 or 3..6, found {text!r}")
    low = int(match["low"])
    high = int(match["high"] or low)
    if not 1 <= low <= high <= MOST:
        raise WordingError(f"expected a number from 1 to {MOST}, the smaller first; found {text!r}")
    return Number(low, high)


def rate(text: str) -> int:
    """Read `40 ppm fast`, `40 ppm slow` or `right`: by how many millionths; slow is negative."""
    if text.strip() == "right":
        return 0
    match = _RATE.fullmatch(text.strip())
    if not match or not 1 <= int(match["ppm"]) <= MOST_PPM:
        raise WordingError(
            f"expected 40 ppm fast, 40 ppm slow (at most {MOST_PPM}) or right; found {text!r}"
        )
    return int(match["ppm"]) * (1 if match["way"] == "fast" else -1)


def amount(text: str) -> Amount:
    """Read `3`, `no`, `at least 2` or `at most 5`."""
    match = _LEAST.fullmatch(text.strip())
    if not match:
        raise WordingError(f"expected no, 3, at least 3 or at most 3; found {text!r}")
    return Amount(0 if match["number"] == "no" else int(match["number"]), match["bound"] or "")
