"""A scenario as it is told: steps within steps, each with the line on which it stands."""

from pathlib import Path

import msgspec

from sim.scenario.measure import Number, Span
from sim.scenario.phrase import Sentence
from sim.scenario.site import Cards, People, Site
from sim.scenario.world import World


class Do(msgspec.Struct, frozen=True):
    """An action; one that can't be done ends the story, unless it is done `if_possible`."""

    line: int
    sentence: Sentence
    if_possible: bool = False


class Expect(msgspec.Struct, frozen=True):
    """An expectation: true `within` a time, or all the time `lasting`, or else at once."""

    line: int
    sentence: Sentence
    within: Span | None = None
    lasting: Span | None = None


class Rule(msgspec.Struct, frozen=True):
    """From here to the end this is always true, or never."""

    line: int
    sentence: Sentence
    never: bool


class At(msgspec.Struct, frozen=True):
    """What happens so long after the story began."""

    line: int
    time: Span
    steps: "list[Step]"


class Repeat(msgspec.Struct, frozen=True):
    """What happens several times; `every` counts from beginning to beginning."""

    line: int
    times: Number
    every: Span | None
    steps: "list[Step]"


class Together(msgspec.Struct, frozen=True):
    """What happens at the same time; goes on when all of it has."""

    line: int
    steps: "list[Step]"


class Meanwhile(msgspec.Struct, frozen=True):
    """What happens, one after the other, beside the rest of the story."""

    line: int
    steps: "list[Step]"


class OneOf(msgspec.Struct, frozen=True):
    """One of these happens; the seed chooses."""

    line: int
    steps: "list[Step]"


class InTurn(msgspec.Struct, frozen=True):
    """A list within a list: one after the other."""

    line: int
    steps: "list[Step]"


Step = Do | Expect | Rule | At | Repeat | Together | Meanwhile | OneOf | InTurn


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A file that makes sense.

    Attributes:
        file: where it stands.
        title: what it shows, in one line.
        about: more about it.
        requirements: numbers of the demands that it shows to be met.
        seed: of everything that is chosen.
        slow: it takes long and only runs when asked to.
        needs: what it can't be told without: "virtual time", "real time" or nothing.
        world: a day or more that goes on beside the story, or None.
        site: rooms and rules.
        people: who takes part.
        cards: what they carry.
        steps: the story.
    """

    file: Path
    title: str
    about: str
    requirements: list[str]
    seed: int
    slow: bool
    needs: str
    world: World | None
    site: Site
    people: People
    cards: Cards
    steps: list[Step]
