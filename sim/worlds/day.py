"""A world's plan: everything that happens on its days, in order."""

import math
from collections.abc import Iterator

import msgspec

from sim.worlds import cleaning, radar
from sim.worlds.action import Action, Deed
from sim.worlds.calls import Call, Calls, calls
from sim.worlds.cleaning import Use
from sim.worlds.habits import Habits, habits_of
from sim.worlds.model import LEAD_S, Model
from sim.worlds.reports import reports, slips
from sim.worlds.roster import MINUTE, Absence, Roster, Stint, roster
from sim.worlds.streams import Dice, Purpose, Streams

DAY_S = 86_400


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day: its roster, its calls, and what happens at desks.

    Times of actions are in ms since the world began; all others in seconds since the doors opened.
    """

    roster: Roster
    calls: Calls
    actions: tuple[Action, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a seed makes of a model."""

    model: Model
    seed: int
    days: tuple[Day, ...]

    @property
    def actions(self) -> list[Action]:
        """All that happens at desks, in order of time."""
        return sorted(action for day in self.days for action in day.actions)


def plan(model: Model, seed: int) -> Plan:
    """Plan a world. The same seed gives the same, on any machine."""
    streams = Streams(seed)
    habits = [habits_of(model, streams, agent) for agent in range(model.size.agents)]
    days = tuple(_day(model, streams, habits, day) for day in range(model.size.days))
    return Plan(model=model, seed=seed, days=days)


def ms_of(day: int, seconds: float) -> int:
    """A time since the doors opened on a day, in milliseconds since the world began."""
    return max(0, round((day * DAY_S + LEAD_S + seconds) * 1000))


def _day(model: Model, streams: Streams, habits: list[Habits], day: int) -> Day:
    people = roster(model, streams, habits, day)
    traffic = calls(model, streams, people.stints, day)
    actions = [
        *_stints(model, streams, habits, people.stints),
        *_pressed(model, streams, people.stints, traffic.answered, day),
        *_surroundings(model, streams, people.stints, day),
    ]
    return Day(roster=people, calls=traffic, actions=tuple(sorted(actions)))


def _stints(
    model: Model, streams: Streams, habits: list[Habits], stints: tuple[Stint, ...]
) -> Iterator[Action]:
    for stint in stints:
        dice = streams.of(Purpose.CARDS, stint.day, stint.agent)
        yield from _Agent(model, dice, habits[stint.agent], stint).actions()


class _Agent:
    """What one agent does with cards and chair during a stint."""

    def __init__(self, model: Model, dice: Dice, habits: Habits, stint: Stint) -> None:
        self._model = model
        self._dice = dice
        self._habits = habits
        self._stint = stint

    def actions(self) -> Iterator[Action]:
        """From coming to going."""
        stint, signed_in = self._stint, True
        if self._dice.random() < self._habits.forgets_badge:
            yield self._do(stint.begin, Deed.SIT)
            noticed = stint.begin + self._dice.uniform(2, 9) * MINUTE
            signed_in = bool(self._dice.random() < 0.5)
            if signed_in:  # before the first absence, which is at least ten minutes away
                yield self._badge_in(noticed)
        else:
            other = self._wrong_headset()
            yield from self._come(stint.begin, other)
        for absence in stint.absences:
            yield from self._absence(absence, signed_in=signed_in)
        yield self._do(stint.end, Deed.LEAVE, self._tap_out(signed_in))

    def _absence(self, absence: Absence, *, signed_in: bool) -> Iterator[Action]:
        if absence.pause:
            yield self._do(absence.begin, Deed.STEP_OUT, self._tap_out(signed_in))
            if signed_in:
                yield from self._come(absence.end, -1)
            else:
                yield self._do(absence.end, Deed.SIT)
        else:
            yield self._do(absence.begin, Deed.GET_UP)
            yield self._do(absence.end, Deed.SIT)

    def _come(self, at: float, other: int) -> Iterator[Action]:
        """Cards first, then the chair."""
        tapped = self._badge_in(at, other)
        yield tapped
        cards = (3 * tapped.ms + 2 * tapped.gap_ms) / 1000
        yield self._do(at + cards + self._dice.uniform(2, 12), Deed.SIT)

    def _badge_in(self, at: float, other: int = -1) -> Action:
        model = self._model
        gap = min(6.0, max(0.6, self._about(model.between_cards_s)))
        return Action(
            at_ms=ms_of(self._stint.day, at),
            desk=self._stint.desk,
            deed=Deed.BADGE_IN,
            who=self._stint.agent,
            ms=self._tap_ms(),
            gap_ms=round(gap * 1000),
            other=other,
        )

    def _wrong_headset(self) -> int:
        """A colleague's number, or -1."""
        agents = self._model.size.agents
        wrong, whose = self._dice.random(), int(self._dice.integers(max(1, agents - 1)))
        if agents < 2 or wrong >= self._habits.wrong_headset:
            return -1
        return (self._stint.agent + 1 + whose) % agents

    def _tap_out(self, signed_in: bool) -> int:
        forgets, tap = self._dice.random() < self._habits.forgets_tap_out, self._tap_ms()
        return tap if signed_in and not forgets else 0

    def _tap_ms(self) -> int:
        return round(min(3.0, max(0.2, self._about(self._model.tap_s))) * 1000)

    def _about(self, median: float) -> float:
        return median * math.exp(self._model.tap_sigma * self._dice.standard_normal())

    def _do(self, at: float, deed: Deed, ms: int = 0) -> Action:
        at_ms = ms_of(self._stint.day, at)
        return Action(at_ms=at_ms, desk=self._stint.desk, deed=deed, who=self._stint.agent, ms=ms)


def _pressed(
    model: Model, streams: Streams, stints: tuple[Stint, ...], answered: tuple[Call, ...], day: int
) -> Iterator[Action]:
    for call in answered:
        stint = stints[call.stint]
        for at, deed, ms in reports(model, streams, call, day):
            yield _at(stint, ms_of(day, at), deed, ms)
    for stint in stints:
        for at, back in slips(model, streams, stint):
            yield _at(stint, ms_of(day, at), Deed.PRESS, 120)
            yield _at(stint, ms_of(day, back), Deed.WITHDRAW, 400)


def _at(stint: Stint, at_ms: int, deed: Deed, ms: int) -> Action:
    return Action(at_ms=at_ms, desk=stint.desk, deed=deed, who=stint.agent, ms=ms)


def _surroundings(
    model: Model, streams: Streams, stints: tuple[Stint, ...], day: int
) -> Iterator[Action]:
    """Everything at desks that no agent does: visitors, cleaners, passers-by, noise."""
    uses: list[list[Use]] = [[] for _ in range(model.size.seats)]
    seated: list[list[tuple[float, float]]] = [[] for _ in range(model.size.seats)]
    for stint in stints:
        uses[stint.desk].append(Use(stint.begin, stint.end))
        seated[stint.desk] += stint.seated()
    for desk, own in enumerate(uses):
        visits = list(radar.visits(model, streams, own, day, desk))
        uses[desk] = sorted([*own, *visits])
        for seen in radar.visited(model, streams, visits, day, desk):
            yield _seen(day, desk, seen)
        for seen in radar.passers(model, streams, day, desk):
            yield _seen(day, desk, seen)
        dice = streams.of(Purpose.RADAR, day, desk)
        for seen in radar.noise(model, dice, seated[desk], uses[desk]):
            yield _seen(day, desk, seen)
    for done in cleaning.rounds(model, streams, uses, day):
        at = ms_of(day, done.at)
        yield Action(at_ms=at, desk=done.desk, deed=Deed.CLEAN, who=done.cleaner, ms=400)


def _seen(day: int, desk: int, seen: radar.Seen) -> Action:
    at, deed, ms = seen
    return Action(at_ms=ms_of(day, at), desk=desk, deed=deed, ms=ms)
