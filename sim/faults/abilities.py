"""What a world must be able to do for faults beyond those that every engine has.

An engine that lacks one is told so politely, at the step that asks for it.
"""

from typing import NoReturn, Protocol, runtime_checkable

from sim.scenario.errors import StoryError


@runtime_checkable
class Radio(Protocol):
    """A unit whose radio can be bad."""

    def weather(self, loss: float, delay: float) -> None:
        """From now on so much of 1 is lost and sent again, and all is late by so many seconds."""

    def half_open(self) -> None:
        """Connections that are open now carry nothing any more, and nobody is told."""


@runtime_checkable
class Ageing(Protocol):
    """A unit that can be near the end of its ticks."""

    def wrap(self, seconds: float) -> None:
        """The ticks of the next start begin again at 0 so long after it."""


@runtime_checkable
class Drifting(Protocol):
    """A unit, or a host, whose clock can be fast or slow."""

    def drift(self, ppm: int) -> None:
        """It is fast by so many millionths (of a unit: from the next start on), or slow."""


@runtime_checkable
class TossingBroker(Protocol):
    """A broker that can deliver in any order."""

    async def toss(self, seconds: float) -> None:
        """For so long what units report comes in any order, and some of it twice."""


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


@runtime_checkable
class Operated(Protocol):
    """A host whose command line can be used."""

    async def command(self, *words: str) -> str:
        """What a command of the host says; StoryError when it fails."""


def radio_of(thing: object, fault: str) -> Radio:
    """The unit, if its radio can be bad; else StoryError."""
    return thing if isinstance(thing, Radio) else _refuse(fault)


def broker_of(thing: object, fault: str) -> FrailBroker:
    """The broker, if it can be worse than dead; else StoryError."""
    return thing if isinstance(thing, FrailBroker) else _refuse(fault)


def host_of(thing: object, fault: str) -> FrailHost:
    """The host, if it can hang; else StoryError."""
    return thing if isinstance(thing, FrailHost) else _refuse(fault)


def ageing(thing: object, fault: str) -> Ageing:
    """The unit, if its ticks can wrap; else StoryError."""
    return thing if isinstance(thing, Ageing) else _refuse(fault)


def drifting(thing: object, fault: str) -> Drifting:
    """The unit or the host, if its clock can drift; else StoryError."""
    return thing if isinstance(thing, Drifting) else _refuse(fault, "virtual")


def tossing(thing: object, fault: str) -> TossingBroker:
    """The broker, if it can deliver in any order; else StoryError."""
    return thing if isinstance(thing, TossingBroker) else _refuse(fault, "virtual")


def operated(thing: object, what: str) -> Operated:
    """The host, if it has a command line; else StoryError."""
    return thing if isinstance(thing, Operated) else _refuse(what)


def _refuse(what: str, time: str = "real") -> NoReturn:
    raise StoryError(f"this engine has no {what}; tell the story in {time} time")
