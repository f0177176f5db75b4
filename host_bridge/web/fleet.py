"""The fleet: every desk unit, whether it is there, and what is amiss with it."""

from collections import Counter
from typing import NamedTuple

from host_bridge.contract import topics
from host_bridge.contract.messages import State
from host_bridge.director import Director
from host_bridge.director.presence import Heard
from host_bridge.domain.floor import DeskView
from host_bridge.logs import printable
from host_bridge.store import Store, UnitNow
from host_bridge.web import ledger
from host_bridge.web.models import Fleet, Gap, Presence, Unit, instant

WORDS: dict[Presence, str] = {"online": "Online", "offline": "Offline", "silent": "Never heard"}

FAULTS = 8
"""Chips that are shown of one unit: what units say may be anything."""


def read(director: Director, store: Store, now_ms: int) -> Fleet:
    """The fleet now.

    Raises:
        StoreUnavailableError: the database can't be read.
    """
    site = director.site.name
    gaps = {gap.unit: gap for gap in ledger.read(store, site, now_ms).gaps}
    letters = _dead_letters(store, site)
    heard = dict(director.presence.heard)
    facts = store.units(site)
    planned = {desk.unit: (room.name, desk) for room in director.rooms for desk in room.desks}
    names = sorted({*planned, *heard, *gaps})
    units = [
        _unit(
            name,
            planned.get(name),
            _said(heard.get(name), facts.get(name)),
            gaps.get(name),
            letters[name],
        )
        for name in names
    ]
    units.sort(key=lambda unit: (not unit.amiss, unit.state == "online"))
    return Fleet(
        site=site,
        online=sum(unit.state == "online" for unit in units),
        amiss=sum(unit.amiss for unit in units),
        units=units,
    )


def _dead_letters(store: Store, site: str) -> Counter[str]:
    """By the unit in whose name they came, for nobody else may publish there."""
    found: Counter[str] = Counter()
    for topic, count in store.dead_letters_by_topic().items():
        parsed = topics.parse(topic)
        if parsed is not None and parsed[0] == site:
            found[parsed[1]] += count
    return found


class _Said(NamedTuple):
    """What a unit said of itself, and when it was heard (Unix milliseconds).

    What its retained state does not tell, because a broker forgot it or it is older than this
    process, its facts do.
    """

    state: State | None
    firmware: str
    at_ms: int | None


def _said(heard: Heard | None, now: UnitNow | None) -> _Said:
    state = heard.state if heard else None
    firmware = (state.firmware if state else "") or (now.firmware if now else None) or ""
    at_ms = (heard.at_ms if heard else None) or (now.heard_ms if now else None)
    return _Said(state, firmware, at_ms)


def _unit(
    name: str,
    place: tuple[str, DeskView] | None,
    told: _Said,
    gap: Gap | None,
    letters: int,
) -> Unit:
    said, at_ms = told.state, told.at_ms
    state: Presence = "silent" if said is None else "online" if said.online else "offline"
    faults = dict(sorted(said.faults.items())[:FAULTS]) if said else {}
    safe = said is not None and said.mode == "safe"
    standing = gap is not None and gap.standing
    return Unit(
        unit=name,
        desk=place[1].name if place else None,
        room=place[0] if place else None,
        state=state,
        word=WORDS[state],
        firmware=printable(told.firmware),
        safe=safe,
        heard=instant(at_ms // 60_000 * 60_000) if at_ms else None,
        faults={printable(chip)[:16]: printable(why) for chip, why in faults.items()},
        dead_letters=letters,
        gap=gap,
        amiss=state != "online" or bool(faults) or safe or standing or place is None,
    )


def age(seconds: int) -> str:
    """How long ago, roughly: "40 s", "12 min", "5 h", "3 d"."""
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"
