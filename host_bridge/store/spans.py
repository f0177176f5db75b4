"""Spans: inclusive ranges of sequence numbers, and how they grow together."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
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


_first = attrgetter("first")


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same numbers in as few spans as possible, ascending. Neighbours become one."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def covers(spans: Sequence[Known], number: int) -> bool:
    """Does one of the spans, which ascend, hold this number?"""
    if len(spans) == 1:
        return spans[0].first <= number <= spans[0].last
    place = holder(spans, number)
    return place >= 0 and number <= spans[place].last


def holder(spans: Sequence[Known], number: int) -> int:
    """The place of the last span that begins at this number or before; -1 when none does."""
    return bisect_right(spans, number, key=_first) - 1


def grow(spans: Sequence[Known], numbers: Mapping[int, int]) -> list[Known]:
    """The spans with more numbers in them; `numbers` maps each to the time at which it came.

    Spans ascend. Nearly always the numbers follow on the last one, which is therefore quick.
    """
    if spans and numbers and min(numbers) == spans[-1].last + 1 == max(numbers) - len(numbers) + 1:
        end = spans[-1]
        since = min(end.since_ms, *numbers.values())
        return [*spans[:-1], Known(end.first, max(numbers), since)]
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
