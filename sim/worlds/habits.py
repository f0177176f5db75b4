"""Habits: most people rarely forget their badge, and a few often do."""

import msgspec

from sim.worlds.model import Model
from sim.worlds.streams import Dice, Purpose, Streams


class Habits(msgspec.Struct, frozen=True):
    """One simulated person's own shares, for as long as the world lasts."""

    forgets_badge: float
    forgets_tap_out: float
    wrong_headset: float
    neighbour: float


def habits_of(model: Model, streams: Streams, agent: int) -> Habits:
    """Draw the habits of an agent."""
    dice = streams.of(Purpose.HABITS, 0, agent)
    shares = model.forgets_badge, model.forgets_tap_out, model.wrong_headset, model.neighbour
    return Habits(*(_own(dice, share, model.spread) for share in shares))


def _own(dice: Dice, share: float, weight: float) -> float:
    """A person's own share; 0 and 1 are the same for everybody."""
    if share in {0.0, 1.0}:
        return share
    return float(dice.beta(share * weight, (1 - share) * weight))
