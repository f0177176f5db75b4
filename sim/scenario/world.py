"""The world of a scenario: `world:` in its file, as people write it, and the model it means."""

from typing import Annotated, Literal

import msgspec

from sim.scenario import measure
from sim.scenario.errors import WordingError
from sim.scenario.site import Desk, People, Room, Site, metres
from sim.worlds.model import Model, Size

_COLUMNS, _ROOM_ROWS = 20, 3
MOST_DESKS = 26 * _COLUMNS


class World(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename=lambda name: name.replace("_", " "),
):
    """A call centre's days, which go on beside the story.

    What is not said here is as `sim.worlds.model` has it. `speed`: how much faster than life.
    """

    model: Literal["day", "shift change"] = "day"
    desks: Annotated[int, msgspec.Meta(ge=1, le=MOST_DESKS)] | None = None
    agents: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 20
    cleaners: Annotated[int, msgspec.Meta(ge=0, le=50)] = 1
    hours: Annotated[float, msgspec.Meta(ge=0.5, le=16)] = 8.0
    days: Annotated[int, msgspec.Meta(ge=1, le=7)] = 1
    opens: Annotated[float, msgspec.Meta(ge=0, lt=24)] = 8.0
    within: str = "10 min"
    speed: Annotated[float, msgspec.Meta(ge=1, le=1000)] = 1.0
    calls_per_hour: Annotated[float, msgspec.Meta(ge=0, le=60)] | None = None
    abusive_share: str | None = None
    late_share: str | None = None
    forgotten_badges: str | None = None
    wrong_headsets: str | None = None

    def check(self) -> None:
        """What types can't say.

        Raises:
            WordingError: a time or a share makes no sense.
        """
        self.numbers(Site())

    def placed(self, site: Site, *, own_rooms: bool) -> Site:
        """The site with the desks of the world, in rooms of sixty.

        Raises:
            WordingError: the site has rooms of its own.
        """
        if self.desks is None:
            return site
        if own_rooms:
            raise WordingError("desks: the site has rooms; leave one of the two away")
        names: list[str | Desk] = [
            f"{chr(65 + n // _COLUMNS)}{n % _COLUMNS + 1}" for n in range(self.desks)
        ]
        size = _COLUMNS * _ROOM_ROWS
        rooms = [
            Room(name=f"Room {n + 1}", desks=names[n * size : (n + 1) * size])
            for n in range((self.desks + size - 1) // size)
        ]
        return msgspec.structs.replace(site, rooms=rooms)

    def people(self, others: People) -> People:
        """The story's own people and the world's; nobody can speak of those by name."""
        return People(
            agents=[*others.agents, *map(agent, range(self.agents))],
            cleaners=[*others.cleaners, *map(cleaner, range(self.cleaners))],
            strangers=[*others.strangers, VISITOR],
        )

    def numbers(self, site: Site) -> Model:
        """The model for a site. What lasts seconds in any world is rarer in a fast one.

        Raises:
            WordingError: a time or a share makes no sense.
        """
        usual = Model()
        size = Size(
            kind=self.model,
            seats=sum(map(_seats, site.rooms)),
            agents=self.agents,
            cleaners=self.cleaners,
            hours=self.hours,
            days=self.days,
            opens=self.opens,
            minutes=measure.span(self.within).high / 60,
        )
        return msgspec.structs.replace(
            usual,
            size=size,
            calls=usual.calls if self.calls_per_hour is None else self.calls_per_hour,
            abusive=_share("abusive share", self.abusive_share, usual.abusive),
            late_share=_share("late share", self.late_share, usual.late_share),
            forgets_badge=_share("forgotten badges", self.forgotten_badges, usual.forgets_badge),
            wrong_headset=_share("wrong headsets", self.wrong_headsets, usual.wrong_headset),
            passers=usual.passers / self.speed,
            misses=usual.misses / self.speed,
            ghosts=usual.ghosts / self.speed,
        )


KEYS = {
    "model": "`day`, or `shift change`: half of the agents leave while the other half come",
    "desks": "how many, 3 m apart, in rooms of sixty; without it those of the site's rooms",
    "agents": "on the roster; who finds no seat on it works from home",
    "cleaners": "who go round every hour",
    "hours": "from the opening to the end of the last shift",
    "days": "up to seven; each agent works on five of them",
    "opens": "hour of the day, `8` or `7.5`; calls have their peaks at about 11 and 15:30",
    "within": "how long a shift change takes, `10 min`",
    "speed": "how much faster than life; taps and presses take as long as ever",
    "calls per hour": "for each agent on shift",
    "abusive share": "`2 %` of the calls",
    "late share": "of the agents, each day",
    "forgotten badges": "share of arrivals without a tap",
    "wrong headsets": "share of arrivals with a colleague's headset, put right at once",
}
"""What may be said of a world, for docs/simulator.md."""

assert tuple(KEYS) == World.__struct_encode_fields__

VISITOR = "Visitor 1"


def agent(number: int) -> str:
    """What an agent of the world is called: with a space, as nobody of a story can be."""
    return f"Agent {number + 1}"


def cleaner(number: int) -> str:
    """What a cleaner of the world is called."""
    return f"Cleaner {number + 1}"


def _seats(room: Room) -> int:
    """How many may sit there at once: half of the desks where neighbours are too close."""
    desks = len(room.desks)
    usable = desks if metres(room.pitch) >= metres(room.clearance) else (desks + 1) // 2
    return min(usable, room.cap or usable)


def _share(name: str, given: str | None, usual: float) -> float:
    try:
        return usual if given is None else measure.share(given)
    except WordingError as error:
        raise WordingError(f"{name}: {error}") from error
