"""The words for what is shown of a desk. Colour and icon go by the same key."""

from typing import NamedTuple

from host_bridge.domain.guidance import Shown


class Wording(NamedTuple):
    """What stands on the desk, and what it means to whoever looks."""

    word: str
    meaning: str


WORDS: dict[Shown, Wording] = {
    "free": Wording("Free", "may be used now"),
    "taken": Wording("In use", "somebody is here"),
    "reserved": Wording("Reserved", "signed in, briefly away"),
    "dirty": Wording("To clean", "left, not cleaned yet"),
    "blocked": Wording("Blocked", "kept empty this shift"),
    "conflict": Wording("Conflict", "used, though kept empty"),
    "full": Wording("Full", "the room is at its cap"),
    "offline": Wording("Offline", "the desk unit is silent"),
}
