"""Reports: what happens at the button when a call is abusive, or a finger slips."""

from collections.abc import Iterator

from sim.worlds.action import Deed
from sim.worlds.calls import SETTLE_S, Call
from sim.worlds.model import Model
from sim.worlds.roster import HOUR, Stint
from sim.worlds.streams import Purpose, Streams

Pressed = tuple[float, Deed, int]
"""Seconds since the doors opened, what, and for how many milliseconds."""

_BEFORE_GOING_S = 5.0


def reports(model: Model, streams: Streams, call: Call, day: int) -> Iterator[Pressed]:
    """What follows from a call; nothing does from most."""
    if not call.abusive:
        return
    dice = streams.of(Purpose.REPORT, day, call.number)
    reported, after, double, urgent, where = dice.random(5)
    later = dice.exponential(model.after_call_s)
    press, again, hold = dice.uniform(90, 220), dice.uniform(0.15, 0.6), dice.uniform(2300, 4000)
    if reported >= model.presses:
        return
    if after < model.after_call:
        at = min(call.end + later, max(call.end, call.seated_until - _BEFORE_GOING_S))
    else:
        at = call.begin + (0.2 + 0.8 * where) * (call.end - call.begin)
    if urgent < model.urgent:
        yield at, Deed.HOLD, round(hold)
        return
    yield at, Deed.PRESS, round(press)
    if double < model.double:
        yield at + press / 1000 + again, Deed.PRESS, round(press)


def slips(model: Model, streams: Streams, stint: Stint) -> Iterator[tuple[float, float]]:
    """Presses by mistake, and when they are withdrawn."""
    dice = streams.of(Purpose.SLIPS, stint.day, stint.agent)
    for begin, end in stint.seated():
        length = end - begin - SETTLE_S - 180
        for _ in range(int(dice.poisson(model.slips * max(0.0, length) / HOUR))):
            at = begin + SETTLE_S + dice.random() * length
            yield at, at + dice.uniform(8, 60)
