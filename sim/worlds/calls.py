"""Calls: when they come in, who answers them, how long they last, and which are abusive."""

import math

import msgspec
import numpy as np

from sim.worlds.model import Model
from sim.worlds.roster import HOUR, Stint
from sim.worlds.streams import Dice, Purpose, Streams

SETTLE_S = 90.0
"""After sitting down: log in, put the headset on."""

_FLOOR, _MORNING, _AFTERNOON, _WIDTH = 0.45, 10.75, 15.5, 1.7


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An answered call. Times in seconds since the doors opened; `stint` counts the day's."""

    number: int
    came: float
    begin: float
    end: float
    stint: int
    seated_until: float
    abusive: bool


class Calls(msgspec.Struct, frozen=True):
    """A day's calls by arrival: those that were answered, and how many hung up before."""

    answered: tuple[Call, ...]
    lost: int


def load(hour: float) -> float:
    """How busy an hour of the day is, 1 at a peak.

    Two peaks, before and after noon, as in Brown et al.; their places and widths are assumptions.
    """
    peaks = (math.exp(-(((hour - peak) / _WIDTH) ** 2)) for peak in (_MORNING, _AFTERNOON))
    return _FLOOR + (1 - _FLOOR) * min(1.0, sum(peaks))


def arrivals(model: Model, dice: Dice, agents: float) -> list[float]:
    """Arrivals of a Poisson process whose rate follows the hour, by thinning.

    Args:
        model: how many calls an hour, and when the doors are open.
        dice: the day's stream of arrivals.
        agents: how many are on shift on average.
    """
    size = model.size
    steps = [size.opens + size.hours * (n + 0.5) / 48 for n in range(48)]
    mean = sum(map(load, steps)) / len(steps)
    highest = model.calls * agents / mean
    count = int(dice.poisson(highest * size.hours))
    at = np.sort(dice.random(count)) * size.hours
    kept = dice.random(count)
    return [
        float(hour) * HOUR
        for hour, chance in zip(at, kept, strict=True)
        if chance < load(size.opens + float(hour))
    ]


def calls(model: Model, streams: Streams, stints: tuple[Stint, ...], day: int) -> Calls:
    """A day's calls: each goes to whoever has been idle longest (Gans et al.).

    Nobody gets a call that would last into a break: the exchange does not know that, but a call
    that is taken over by a colleague would be none of this desk's.
    """
    if not stints:
        return Calls((), 0)
    staff = sum(end - begin for stint in stints for begin, end in stint.seated())
    agents = staff / HOUR / model.size.hours
    pool = _Pool(stints)
    answered, lost = [], 0
    mean_log = math.log(model.talk_s) - model.talk_sigma**2 / 2
    for number, came in enumerate(arrivals(model, streams.of(Purpose.ARRIVALS, day), agents)):
        dice = streams.of(Purpose.CALL, day, number)
        talk = math.exp(mean_log + model.talk_sigma * dice.standard_normal())
        wrap, patience = dice.exponential(model.wrap_s), dice.exponential(model.patience_s)
        abusive = bool(dice.random() < model.abusive)
        taken = pool.take(came, talk, talk + wrap, patience)
        if taken is None:
            lost += 1
            continue
        stint, begin, until = taken
        answered.append(
            Call(
                number=number,
                came=came,
                begin=begin,
                end=begin + talk,
                stint=stint,
                seated_until=until,
                abusive=abusive,
            )
        )
    return Calls(tuple(answered), lost)


class _Pool:
    """Who is at work when: for each stint the time at the desk that is going on or comes next."""

    def __init__(self, stints: tuple[Stint, ...]) -> None:
        self._left = [
            [(begin + SETTLE_S, end) for begin, end in reversed(list(stint.seated()))]
            for stint in stints
        ]
        self._free = np.zeros(len(stints))
        self._until = np.zeros(len(stints))
        for index in range(len(stints)):
            self._next(index)

    def take(
        self, came: float, talk: float, busy: float, patience: float
    ) -> tuple[int, float, float] | None:
        """Give a call to somebody: whose stint, when it begins, until when they sit there."""
        for late in np.flatnonzero(self._until <= came):
            while self._until[late] <= came:
                self._next(int(late))
        begin = np.maximum(self._free, came)
        fits = (begin + talk <= self._until) & (begin <= came + patience)
        if not fits.any():
            return None
        # Whoever is idle has `begin` in common, so the longest idle is the least `free`.
        first = begin[fits].min()
        index = int(np.argmin(np.where(fits & (begin == first), self._free, np.inf)))
        self._free[index] = first + busy
        return index, float(first), float(self._until[index])

    def _next(self, index: int) -> None:
        begin, end = self._left[index].pop() if self._left[index] else (math.inf, math.inf)
        self._free[index], self._until[index] = max(begin, self._free[index]), end
