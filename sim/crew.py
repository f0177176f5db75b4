"""Who may come to a simulated room, and what they carry."""

import random
from collections.abc import Iterator

import msgspec

CLEANERS = 2


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
PEOPLE = len(_NAMES)


def crew(seed: int) -> Crew:
    """The crew of a site; badges have 4 bytes of UID, headset stickers 7."""
    dice = random.Random(seed)  # noqa: S311 (people on a stage, no secrets)
    uids = _uids(dice)
    people = [Person(name=name, badge=next(uids)[:8], headset=next(uids)) for name in _NAMES]
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
