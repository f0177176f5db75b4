"""What a world must be able to do for faults beyond those that every engine has.

An engine that lacks one is told so politely, at the step that asks for it.
"""

from typing import Protocol, TypeVar, runtime_checkable

from sim.scenario.errors import StoryError


@runtime_checkable
class Radio(Protocol):
    """A unit whose radio can be bad."""

    def weather(self, loss: float, delay: float) -> None:
        """From now on so much of 1 is lost and sent again, and all is late by so many seconds."""

    def half_open(self) -> None:
        """Connections that are open now carry nothing any more, and nobody is told."""


@runtime_checkable
class FrailBroker(Protocol):
    """A broker that can be worse than dead."""

    async def slow(self, seconds: float) -> None:
        """For so long it works only now and then."""

    async def fill(self, full: bool) -> None:
        """Start it again, with no room for what nobody takes at once, or with room."""


@runtime_checkable
class FrailHost(Protocol):
    """A host that can hang, and whose disk can be bad."""

    async def hang(self, part: str, seconds: float) -> None:
        """A part does nothing for so long, and closes nothing."""

    async def slow_database(self, seconds: float) -> None:
        """For so long others hold the database most of the time."""

    async def fill_disk(self, seconds: float) -> None:
        """For so long the relay can write nothing."""


Ability = TypeVar("Ability")


def able(thing: object, ability: type[Ability], fault: str) -> Ability:
    """The thing, if it can do that.

    Raises:
        StoryError: it can't.
    """
    if not isinstance(thing, ability):
        raise StoryError(f"this engine has no {fault}; tell the story in real time")
    return thing
