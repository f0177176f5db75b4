"""Spans: inclusive ranges of sequence numbers, and how they grow together."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Span = tuple[int, int]
"""First and last number, both included, first <= last."""


class Known(NamedTuple):
    """A span with the time (Unix milliseconds) at which its earliest number came.

    For all but a stream's first span that is since when the gap before it is known.
    """

    first: int
    last: int
    since_ms: int


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same numbers in as few spans as possible, ascending. Neighbours become one."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def covers(spans: Iterable[Known], number: int) -> bool:
    """Does one of the spans hold this number?"""
    return any(span.first <= number <= span.last for span in spans)


def grow(spans: Iterable[Known], numbers: Mapping[int, int]) -> list[Known]:
    """The spans with more numbers in them; `numbers` maps each to the time at which it came."""
    parts = sorted([*spans, *(Known(number, number, ms) for number, ms in numbers.items())])
    grown: list[Known] = []
    for part in parts:
        if grown and part.first <= grown[-1].last + 1:
            before = grown[-1]
            last, since = max(before.last, part.last), min(before.since_ms, part.since_ms)
            grown[-1] = Known(before.first, last, since)
        else:
            grown.append(part)
    return grown
