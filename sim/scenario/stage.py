"""Where a story takes place: the engine, the record, and what sentences need to remember."""

import random
from collections import Counter

from sim.scenario.engine import Engine, Unit
from sim.scenario.errors import StoryError, WordingError
from sim.scenario.phrase import Card, chip_of
from sim.scenario.record import Record
from sim.scenario.story import Scenario


class Stage:
    """Handed to every sentence.

    Args:
        scenario: what is told.
        engine: the world, brought up already.
        record: where happenings are taken down.
    """

    def __init__(self, scenario: Scenario, engine: Engine, record: Record) -> None:
        self.scenario = scenario
        self.engine = engine
        self.record = record
        self.aliases: dict[str, str] = {}
        """Names that `let` gave to desks."""
        self.presses: dict[str, list[float]] = {}
        """When the button of each desk was pressed, Unix seconds of the host's clock."""
        self.pressed: dict[str, list[tuple[float, float]]] = {}
        """The same in seconds since the story began, each with the time of its release."""
        self.rotten: Counter[str] = Counter()
        """How often a bit turned over in each desk's flash, in a fact of each lane at the most."""
        self.conflicts: dict[str, float] = {}
        """Desks that the page shows in conflict, and since when."""

    def desk(self, name: str) -> str:
        """The desk that a name means."""
        return self.aliases.get(name, name)

    def unit(self, name: str) -> Unit:
        """The unit at a desk."""
        return self.engine.units[self.desk(name)]

    def chip(self, called: str, name: str) -> str:
        """The chip that is called so at a desk.

        Raises:
            StoryError: the desk that `let` has found has none.
        """
        try:
            return chip_of(called, self.desk(name), self.scenario.site.parts)
        except WordingError as error:
            raise StoryError(str(error)) from error

    def uids(self, who: str, cards: list[Card]) -> list[str]:
        """What is held to the reader."""
        return [self.scenario.cards.uid(card.owner or who, card.kind) for card in cards]

    def draw(self, line: int, turn: int) -> random.Random:
        """Dice for one telling of one line: the same for the same seed, whatever else happens."""
        return random.Random(f"{self.scenario.seed} {line} {turn}")  # noqa: S311
