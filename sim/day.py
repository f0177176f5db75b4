"""A working day in a small call centre, compressed: who does what when, from a seed.

A plan names people and happenings, not desks: who arrives looks for a desk that shows that it is
free, as a person would, so the plan holds whatever the host decides.
"""

import random
from collections.abc import Iterator
from enum import StrEnum

import msgspec

LENGTH_S = 100.0
"""Seconds from the first arrival to the end of the cleaners' last round."""

PEOPLE = 8
CLEANERS = 2
_SEATS = 6  # two-coloured, a room of twelve has six desks in use
_EVENING_S = 66.0


class Deed(StrEnum):
    """What somebody does."""

    ARRIVE = "arrive"
    """Goes to a free desk, taps badge and headset, sits down."""
    ARRIVE_WITH_WRONG_HEADSET = "arrive-with-wrong-headset"
    """The same, but takes `other`'s headset first."""
    TRY_UNKNOWN_TAG = "try-unknown-tag"
    """Taps a tag that nobody has registered, at a free desk, and goes."""
    SIT_AT_BLOCKED = "sit-at-blocked"
    """Sits for a while at a desk that shows that it is blocked."""
    PRESS = "press"
    """Reports an abusive call: one press."""
    HOLD = "hold"
    """Reports one urgently: a long hold."""
    LEAVE = "leave"
    """Taps the headset again and goes."""
    CLEAN = "clean"
    """A cleaner goes round all desks that show that they are dirty."""


class Action(msgspec.Struct, frozen=True):
    """Something that somebody does, `at` seconds after the day began.

    `who` counts people or, for CLEAN, cleaners from 0; it is -1 for a visitor whom nobody knows.
    """

    at: float
    deed: Deed
    who: int = -1
    other: int = -1


class Person(msgspec.Struct, frozen=True):
    """Somebody of the crew and what they carry: UIDs in hexadecimal."""

    name: str
    badge: str
    headset: str


class Crew(msgspec.Struct, frozen=True):
    """Everybody who may come, and cleaners' cards."""

    people: list[Person]
    cleaners: list[str]
    stranger: str
    """The UID of a tag that is in no register."""


_NAMES = (
    "Aino Valo",
    "Bruno Sala",
    "Chiara Monti",
    "Dario Ferri",
    "Elif Kaya",
    "Femi Ade",
    "Gwen Parry",
    "Hugo Lind",
)


def crew(seed: int) -> Crew:
    """The crew of a site; badges have 4 bytes of UID, headset stickers 7."""
    dice = random.Random(seed)  # noqa: S311 (people on a stage, no secrets)
    uids = _uids(dice)
    people = [
        Person(name=name, badge=next(uids)[:8], headset=next(uids)) for name in _NAMES[:PEOPLE]
    ]
    return Crew(
        people=people, cleaners=[next(uids)[:8] for _ in range(CLEANERS)], stranger=next(uids)
    )


def _uids(dice: random.Random) -> Iterator[str]:
    """UIDs of 7 bytes, all different in their first four; 04h is NXP's, as on real stickers."""
    seen = set()
    while True:
        uid = "04" + dice.randbytes(6).hex().upper()
        if uid[:8] not in seen and uid[6:8] != "88":  # 88h is the cascade tag
            seen.add(uid[:8])
            yield uid


def plan(seed: int) -> list[Action]:
    """The day of this seed, in order of time.

    A desk is seen as empty eleven seconds after somebody got up; cleaners come after that.
    """
    dice = random.Random(seed)  # noqa: S311
    order = list(range(PEOPLE))
    dice.shuffle(order)
    early, late = order[: _SEATS - 1], order[_SEATS - 1 :]
    actions = [*_morning(dice, early, late), *_noon(dice, early, late), *_evening(dice, order)]
    return sorted(actions, key=lambda action: action.at)


def _morning(dice: random.Random, early: list[int], late: list[int]) -> Iterator[Action]:
    """Most arrive within seconds; one goes out, comes back and takes a wrong headset first."""
    for i, who in enumerate(early):
        yield Action(0.0 if i == 0 else 2.5 * i + dice.uniform(-1, 1), Deed.ARRIVE, who)
    yield Action(16.0 + dice.uniform(0, 2), Deed.TRY_UNKNOWN_TAG)
    yield Action(18.0, Deed.LEAVE, early[-1])
    yield Action(22.0 + dice.uniform(0, 3), Deed.PRESS, dice.choice(early[:-1]))
    yield Action(31.0, Deed.CLEAN, dice.randrange(CLEANERS))
    yield Action(36.0 + dice.uniform(0, 1), Deed.ARRIVE_WITH_WRONG_HEADSET, early[-1], late[-1])


def _noon(dice: random.Random, early: list[int], late: list[int]) -> Iterator[Action]:
    """Somebody sits where nobody may; one goes, another comes; a second abusive call."""
    yield Action(27.0 + dice.uniform(0, 2), Deed.SIT_AT_BLOCKED)
    yield Action(40.0 + dice.uniform(0, 1), Deed.LEAVE, early[0])
    yield Action(53.0, Deed.CLEAN, dice.randrange(CLEANERS))
    yield Action(56.0 + dice.uniform(0, 2), Deed.ARRIVE, late[0])
    yield Action(60.0 + dice.uniform(0, 3), Deed.HOLD, dice.choice(early[1:]))


def _evening(dice: random.Random, order: list[int]) -> Iterator[Action]:
    """All who are still there leave, and everything is cleaned."""
    for i, who in enumerate(order):
        yield Action(_EVENING_S + 1.5 * i + dice.uniform(0, 1), Deed.LEAVE, who)
    yield Action(LENGTH_S - 9, Deed.CLEAN, 0)
