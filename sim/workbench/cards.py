"""The cards on the workbench. Their UIDs stay in here: the page knows them by name only."""

from typing import NamedTuple

from sim.crew import Crew, crew

_SEED = 1
_PEOPLE = 2


class Card(NamedTuple):
    """Something to hold to the reader: one tag, or two at once."""

    name: str
    label: str
    hint: str
    uids: tuple[str, ...]


def people() -> Crew:
    """Who is registered: you, a colleague and a cleaner."""
    everybody = crew(_SEED)
    return Crew(
        people=everybody.people[:_PEOPLE],
        cleaners=everybody.cleaners[:1],
        stranger=everybody.stranger,
    )


def deck(known: Crew) -> dict[str, Card]:
    """All cards by name."""
    me, colleague = known.people
    cards = (
        Card("badge", "My badge", "who I am", (me.badge,)),
        Card("headset", "My headset", "mine alone", (me.headset,)),
        Card("colleague", "Colleague", "not my headset", (colleague.headset,)),
        Card("cleaner", "Cleaner", "makes it ready", (known.cleaners[0],)),
        Card("unknown", "Unknown", "in no register", (known.stranger,)),
        Card("both", "Two cards", "both headsets", (me.headset, colleague.headset)),
    )
    return {card.name: card for card in cards}
