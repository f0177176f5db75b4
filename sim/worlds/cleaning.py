"""The cleaners' rounds: each has a row of desks of their own and goes along it."""

import bisect
from collections.abc import Iterator

import msgspec

from sim.worlds.model import Model
from sim.worlds.roster import HOUR
from sim.worlds.streams import Purpose, Streams

_GONE_S = 60.0
"""A desk that somebody left less than this ago is not yet seen as empty."""
_CLOSING_S = 900.0
"""The last round begins so long after the doors have closed."""


class Use(msgspec.Struct, frozen=True, order=True):
    """A desk is in use from coming to going, breaks included."""

    begin: float
    end: float


class Cleaned(msgspec.Struct, frozen=True):
    """A cleaner taps the card at a desk, seconds since the doors opened."""

    at: float
    desk: int
    cleaner: int


def rounds(model: Model, streams: Streams, uses: list[list[Use]], day: int) -> Iterator[Cleaned]:
    """All rounds of a day. `uses` holds, for each desk, when it is in use, in order."""
    size = model.size
    if size.cleaners == 0:
        return
    cleaned = [-float("inf")] * size.seats
    count = int(size.hours * model.rounds)
    for number in range(count + 1):
        dice = streams.of(Purpose.ROUND, day, number)
        jitter = dice.uniform(0.2, 0.8)
        begin = (number + jitter) / model.rounds * HOUR
        if number == count:
            begin = size.hours * HOUR + _CLOSING_S
        for cleaner in range(size.cleaners):
            yield from _round(model, uses, cleaned, begin, cleaner)


def _round(
    model: Model, uses: list[list[Use]], cleaned: list[float], begin: float, cleaner: int
) -> Iterator[Cleaned]:
    seats, cleaners = model.size.seats, model.size.cleaners
    at = begin
    for desk in range(cleaner * seats // cleaners, (cleaner + 1) * seats // cleaners):
        if _needs_it(uses[desk], cleaned[desk], at):
            cleaned[desk] = at
            yield Cleaned(at, desk, cleaner)
            at += model.clean_s


def _needs_it(uses: list[Use], cleaned: float, at: float) -> bool:
    """Empty now, and used since it was last cleaned."""
    index = bisect.bisect_right(uses, at, key=lambda use: use.begin) - 1
    return index >= 0 and cleaned < uses[index].end <= at - _GONE_S
