"""The site of a scenario: rooms, desks, people, as the file gives them, checked and placed."""

import random
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sim.parts import Parts, Reader, Sensor
from sim.scenario import measure
from sim.scenario.errors import WordingError
from sim.tags import tag_hash

DeskName = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][1-9][0-9]?\Z")]
"""A row's letter and a number within the row, as in B3."""

PersonName = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][a-z]{1,15}\Z")]

_METRES = re.compile(r"(\d+(?:\.\d+)?) ?m")
SITE = "hq"


class Desk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A desk whose unit has other chips than the usual ones."""

    name: DeskName
    reader: Reader = "mfrc522"
    presence: tuple[Sensor, ...] = ("ld2410",)

    def __post_init__(self) -> None:
        self.parts()

    def parts(self) -> Parts:
        """What is on its unit's board."""
        return Parts(self.reader, self.presence)


class Room(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room as the file gives it; `pitch` is how far desks are apart."""

    name: str = "Room"
    desks: Annotated[list[DeskName | Desk], msgspec.Meta(min_length=1, max_length=64)] = (
        msgspec.field(default_factory=lambda: ["A1"])
    )
    pitch: str = "3 m"
    clearance: str = "1.5 m"
    cap: Annotated[int, msgspec.Meta(ge=1)] | None = None

    @property
    def names(self) -> list[str]:
        """Its desks' names."""
        return [desk.name if isinstance(desk, Desk) else desk for desk in self.desks]


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The site; `away` is after how long an empty seat counts as left."""

    badge_in: Literal["headset", "badge-then-headset"] = "headset"
    away: str = "10 min"
    rooms: Annotated[list[Room], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: [Room()]
    )

    @property
    def desks(self) -> list[str]:
        """Every desk's name."""
        return [name for room in self.rooms for name in room.names]

    @property
    def parts(self) -> dict[str, Parts]:
        """What is on the board of each desk's unit."""
        return {
            name: desk.parts() if isinstance(desk, Desk) else Parts()
            for room in self.rooms
            for name, desk in zip(room.names, room.desks, strict=True)
        }


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes part. Strangers carry a tag that is in no register."""

    agents: list[PersonName] = []
    cleaners: list[PersonName] = []
    strangers: list[PersonName] = []

    @property
    def names(self) -> list[str]:
        """Everybody."""
        return [*self.agents, *self.cleaners, *self.strangers]


class Cards:
    """What everybody carries: UIDs in hexadecimal, from the seed. No UID is ever shown."""

    def __init__(self, people: People, seed: int) -> None:
        dice = random.Random(f"cards {seed}")  # noqa: S311 (cards on a stage, no secrets)
        drawn: set[str] = set()

        def uid(size: int) -> str:
            while True:
                # 04h is NXP's; 88h in the fourth place is the cascade tag (ISO 14443-3, 6.5.4).
                made = "04" + dice.randbytes(size - 1).hex().upper()
                if made[:8] not in drawn and made[6:8] != "88":
                    drawn.add(made[:8])
                    return made

        self.key = dice.randbytes(32)
        self._uids = {}
        for name in people.agents:
            self._uids[name] = {"badge": uid(4), "headset": uid(7)}
        for name in people.cleaners:
            self._uids[name] = {"card": uid(4)}
        for name in people.strangers:
            self._uids[name] = {"headset": uid(7)}
        self._strangers = set(people.strangers)

    def uid(self, person: str, kind: str) -> str:
        """A card's UID.

        Raises:
            WordingError: this person has no such card.
        """
        cards = self._uids[person]
        if kind not in cards:
            raise WordingError(f"{person} has no {kind}, only {' and '.join(cards)}")
        return cards[kind]

    def uids(self) -> list[str]:
        """All of them."""
        return [uid for cards in self._uids.values() for uid in cards.values()]

    def register(self) -> str:
        """The file for `registry import`: hashes, kinds and holders."""
        lines = ["tag,kind,holder"]
        for name, cards in self._uids.items():
            if name not in self._strangers:
                for kind, uid in cards.items():
                    entry = ("cleaner", "") if kind == "card" else (kind, name)
                    lines.append(",".join((tag_hash(self.key, uid), *entry)))
        return "\n".join(lines) + "\n"


def check(site: Site, people: People) -> None:
    """What types can't say.

    Raises:
        WordingError: a name is there twice, or a time or a length makes no sense.
    """
    for what, names in (("desk", site.desks), ("person", people.names)):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise WordingError(f"the same {what} twice: {', '.join(sorted(twice))}")
    measure.span(site.away)
    for room in site.rooms:
        metres(room.pitch)
        metres(room.clearance)


def settings(site: Site, broker: int, web: int, database: Path) -> str:
    """The host's settings for this site, as TOML."""
    lines = ["[broker]", f"port = {broker}", "[web]", f"port = {web}"]
    lines += ["[store]", f'url = "sqlite:///{database.as_posix()}"']
    away = measure.span(site.away).low / 60
    lines += ["[site]", f'name = "{SITE}"', f'badge_in = "{site.badge_in}"']
    lines += [f"away_minutes = {away:.6f}"]
    for number, room in enumerate(site.rooms):
        lines += ["[[site.rooms]]", f"name = {_quoted(room.name)}"]
        lines += [f"clearance = {metres(room.clearance)}"]
        lines += [f"cap = {room.cap}"] if room.cap else []
        pitch = metres(room.pitch)
        for desk in room.names:
            x, y = int(desk[1:]) - 1, ord(desk[0]) - ord("A")
            lines += ["[[site.rooms.desks]]", f'name = "{desk}"', f'unit = "{unit_of(desk)}"']
            lines += [f"x = {x * pitch + 100.0 * number:.3f}", f"y = {y * pitch:.3f}"]
    return "\n".join(lines) + "\n"


def unit_of(desk: str) -> str:
    """The name of the unit at a desk."""
    return desk.lower()


def metres(text: str) -> float:
    """Read a length such as `1.5 m`.

    Raises:
        WordingError: it is none.
    """
    match = _METRES.fullmatch(text.strip())
    if not match:
        raise WordingError(f"expected a length such as 1.5 m, found {text!r}")
    return float(match[1])


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
