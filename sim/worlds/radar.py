"""Who walks by, who visits, and what the radar gets wrong: for one desk and day."""

from collections.abc import Iterator

from sim.worlds.action import Deed
from sim.worlds.cleaning import Use
from sim.worlds.model import Model
from sim.worlds.roster import HOUR
from sim.worlds.streams import Dice, Purpose, Streams

Seen = tuple[float, Deed, int]
"""Seconds since the doors opened, what, and for how many milliseconds."""

_CLEAR_S = 120.0


def visits(model: Model, streams: Streams, uses: list[Use], day: int, desk: int) -> Iterator[Use]:
    """Visitors at a desk while nobody has it."""
    dice = streams.of(Purpose.VISITORS, day, desk)
    taken = list(uses)
    for _ in range(int(dice.poisson(model.visitors * model.size.hours))):
        begin = dice.uniform(0, model.size.hours * HOUR)
        visit = Use(begin, begin + dice.uniform(40, 300))
        if all(
            visit.end + _CLEAR_S <= use.begin or use.end + _CLEAR_S <= visit.begin for use in taken
        ):
            taken.append(visit)
            yield visit


def visited(
    model: Model, streams: Streams, visits: list[Use], day: int, desk: int
) -> Iterator[Seen]:
    """What visitors do: they sit, and some try a card."""
    dice = streams.of(Purpose.STRANGERS, day, desk)
    for visit in visits:
        yield visit.begin, Deed.VISIT, round(1000 * (visit.end - visit.begin))
        tries, at, held = dice.random(3)
        if tries < model.unknown:
            yield visit.begin + 5 + 20 * at, Deed.TRY, 200 + round(1000 * held)


def passers(model: Model, streams: Streams, day: int, desk: int) -> Iterator[Seen]:
    """People who walk by. At 1.3 m/s, a usual pace, two to four metres of view take 1.5 to 3 s."""
    dice = streams.of(Purpose.PASSERS, day, desk)
    for at in _poisson(dice, model.passers, 0, model.size.hours * HOUR):
        yield at, Deed.PASS_BY, round(dice.uniform(1500, 3000))


def noise(
    model: Model, dice: Dice, seated: list[tuple[float, float]], uses: list[Use]
) -> Iterator[Seen]:
    """Misses while somebody sits there, ghosts while nobody has the desk."""
    for begin, end in seated:
        for at in _poisson(dice, model.misses, begin + 30, end - 30):
            yield at, Deed.MISS, 100 + round(dice.exponential(model.miss_s) * 1000)
    for at in _poisson(dice, model.ghosts, 0, model.size.hours * HOUR):
        lasting = 100 + round(dice.exponential(model.ghost_s) * 1000)
        if all(at + _CLEAR_S < use.begin or use.end + _CLEAR_S < at for use in uses):
            yield at, Deed.GHOST, lasting


def _poisson(dice: Dice, rate: float, begin: float, end: float) -> list[float]:
    """Times of a Poisson process of so many an hour."""
    length = max(0.0, end - begin)
    count = int(dice.poisson(rate * length / HOUR))
    return sorted(float(begin + each * length) for each in dice.random(count))
