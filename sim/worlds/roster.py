"""The roster: who works when, at which desk, and when they are away from it.

Times are seconds since the doors opened on that day; they may be negative.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from sim.worlds.habits import Habits
from sim.worlds.model import LEAD_S, Model
from sim.worlds.streams import Dice, Purpose, Streams

HOUR, MINUTE = 3600.0, 60.0
_LUNCH_FROM_H = 6.0
_CLEANING_S = 900.0
"""How long a round may take until it comes to a desk."""
_SWAY = 0.25
"""Breaks are spread, so that not everybody is away at once: by this part of their interval."""
_APART_S = 300.0
"""Absences lie at least so far apart, and twice as far from a shift's ends."""


class Absence(msgspec.Struct, frozen=True, order=True):
    """Away from the desk. On a `pause` (or lunch) one taps out, for an errand nobody does."""

    begin: float
    end: float
    pause: bool


class Stint(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's day at a desk, from coming to going, with what lies between."""

    day: int
    agent: int
    desk: int
    begin: float
    end: float
    absences: tuple[Absence, ...] = ()

    def seated(self) -> Iterator[tuple[float, float]]:
        """The times at the desk."""
        begin = self.begin
        for absence in self.absences:
            yield begin, absence.begin
            begin = absence.end
        yield begin, self.end


class Roster(msgspec.Struct, frozen=True):
    """A day's stints by arrival, and how many people found no seat on it and work from home."""

    stints: tuple[Stint, ...]
    at_home: int


def roster(model: Model, streams: Streams, habits: list[Habits], day: int) -> Roster:
    """Draw a day's roster."""
    wanted = sorted(_wanted(model, streams, day), key=lambda each: each.turn)
    free_at = [-math.inf] * model.size.seats
    stints, at_home = [], 0
    for begin, end, agent, _ in wanted:
        dice = streams.of(Purpose.ROSTER, day, 1 + agent)
        desk = _desk(model, free_at, agent, begin, stray=dice.random() < habits[agent].neighbour)
        if desk is None:
            at_home += 1
            continue
        free_at[desk] = _clean_by(model, end)
        absences = tuple(_absences(model, streams.of(Purpose.BREAKS, day, agent), begin, end))
        stints.append(
            Stint(day=day, agent=agent, desk=desk, begin=begin, end=end, absences=absences)
        )
    return Roster(tuple(stints), at_home)


class _Wanted(NamedTuple):
    """Coming, going, who; and the turn in which seats are given out."""

    begin: float
    end: float
    agent: int
    turn: tuple[float, int]


def _wanted(model: Model, streams: Streams, day: int) -> Iterator[_Wanted]:
    """When each agent of this day comes and goes.

    Seats are given out by the beginning of the shift, not by who comes first: whoever is late
    has a seat all the same. Who gets none differs from day to day.
    """
    size = model.size
    for agent in range(size.agents):
        # Five days out of seven, in turns, so that every day has about the same strength.
        if size.days > 1 and (agent + day) % 7 >= 5:
            continue
        dice = streams.of(Purpose.ARRIVAL, day, agent)
        draw = _changing if size.kind == "shift change" else _shift
        start, begin, end = draw(model, dice, agent)
        yield _Wanted(begin, end, agent, (start, (agent + 7 * day) % size.agents))


def _shift(model: Model, dice: Dice, _agent: int) -> tuple[float, float, float]:
    """The start of a shift at one of the times where shifts begin; coming and going."""
    length = min(model.shift_h, model.size.hours)
    slots = int((model.size.hours - length) * 60 / model.stagger_min) + 1
    start = int(dice.integers(slots)) * model.stagger_min * MINUTE
    end = start + length * HOUR
    early = dice.normal(model.early_min, model.early_sd_min) * MINUTE
    late = dice.exponential(model.late_min) * MINUTE
    overtime = dice.exponential(2.0) * MINUTE
    shift = late if dice.random() < model.late_share else -early
    begin = min(max(start + shift, MINUTE - LEAD_S), start + length * HOUR / 4)
    return start, begin, end + overtime


def _changing(model: Model, dice: Dice, agent: int) -> tuple[float, float, float]:
    """The first half leaves in the middle, while the second half comes."""
    window, middle = model.size.minutes * MINUTE, model.size.hours * HOUR / 2
    come, go = dice.random(2) * window
    if agent % 2 == 0:
        return 0.0, come, middle + go
    return middle, middle + come, 2 * middle + go


def _desk(
    model: Model, free_at: list[float], agent: int, begin: float, *, stray: bool
) -> int | None:
    """One's usual desk, or the nearest by number that is free and clean by then."""
    seats = model.size.seats
    usual = (agent + stray) % seats
    return next((d for i in range(seats) if free_at[d := (usual + i) % seats] <= begin), None)


def _clean_by(model: Model, end: float) -> float:
    """When a desk that is left at `end` can be used by somebody else, at the latest."""
    if model.size.cleaners == 0:
        return end + _CLEANING_S
    between = HOUR / model.rounds
    return (math.floor(end / between) + 2) * between + _CLEANING_S


def _absences(model: Model, dice: Dice, begin: float, end: float) -> list[Absence]:
    """Lunch and pauses, then errands where there is room for them."""
    taken: list[Absence] = []
    hours = (end - begin) / HOUR
    middle, every = hours / 2, model.pause_every_h
    marks = [n * every for n in range(1, int(hours / every) + 1) if n * every < hours - 0.75]
    lunch = min(marks, key=lambda mark: abs(mark - middle)) if hours >= _LUNCH_FROM_H else None
    for mark in marks:
        minutes = model.lunch_min if mark == lunch else model.pause_min
        at = begin + (mark + dice.uniform(-_SWAY, _SWAY) * every) * HOUR
        _fit(taken, Absence(at, at + minutes * MINUTE * dice.uniform(0.9, 1.15), True), begin, end)
    for _ in range(int(dice.poisson(model.errands * hours))):
        at = dice.uniform(begin, end)
        length = dice.uniform(min(1.0, model.errand_min), model.errand_min) * MINUTE
        _fit(taken, Absence(at, at + length, False), begin, end)
    return sorted(taken)


def _fit(taken: list[Absence], new: Absence, begin: float, end: float) -> None:
    """Take it in unless it is of no length, near an end, or near another."""
    inside = begin + 2 * _APART_S <= new.begin < new.end <= end - 2 * _APART_S
    clear = all(
        new.end + _APART_S <= other.begin or other.end + _APART_S <= new.begin for other in taken
    )
    if inside and clear:
        taken.append(new)
