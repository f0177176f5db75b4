"""Facts of desks, and what a person sees who asks the database, for tests of what is so now."""

from collections.abc import Sequence
from typing import Any

from host_bridge.contract.facts import AnyFact, Boot, Chip, Press, Seat, Tag, lane_of
from host_bridge.domain.sessions import Event, Rules, fold
from host_bridge.store import Incoming, PlannedDesk, Store, told
from host_bridge.store.current_tables import AWAY_MS, GRACE_MS
from tests.host_bridge.store.batches import NOW

MINUTE = 60_000
ANNA, ANNAS_BADGE, BEA, CLEANER, STRANGER = (letter * 32 for letter in "abcde")
ROUND = NOW - NOW % MINUTE
"""The minute in which the tests' time begins."""


def register(store: Store) -> None:
    store.registry.issue("s", ANNA, "headset", "Anna Sorgente")
    store.registry.issue("s", ANNAS_BADGE, "badge", "Anna Sorgente")
    store.registry.issue("s", BEA, "headset", "Beatrice Fonda")
    store.registry.issue("s", CLEANER, "cleaner", None)


def came(fact: AnyFact, minute: float, *, late: int = 0) -> Incoming:
    """A fact of some minute that arrived so many minutes late."""
    at_ms = ROUND + int(minute * MINUTE)
    return Incoming(
        site="s", lane=lane_of(fact), fact=fact, time_ms=at_ms, sure="age",
        received_ms=at_ms + late * MINUTE, topic=f"chequer/v1/s/{fact.unit}/fact",
    )  # fmt: skip


def seat(seq: int, minute: float, occupied: bool, *, unit: str = "u", boot: int = 1) -> Incoming:
    return came(Seat(unit=unit, boot=boot, seq=seq, up=seq, occupied=occupied), minute)


def tap(seq: int, minute: float, tag: str = ANNA, *, unit: str = "u", boot: int = 1) -> Incoming:
    return came(Tag(unit=unit, boot=boot, seq=seq, up=seq, tag=tag), minute)


def boot_fact(boot: int, minute: float, firmware: str, *, unit: str = "u") -> Incoming:
    fact = Boot(unit=unit, boot=boot, seq=1, up=1, cause="power", firmware=firmware)
    return came(fact, minute)


def rows(store: Store, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """What a person sees who asks."""
    with store._engine.connect() as connection:
        return {
            table: [
                dict(row)
                for row in connection.exec_driver_sql(
                    f"SELECT * FROM {table} ORDER BY 1, 2"
                ).mappings()
            ]
            for table in tables
        }


def began(store: Store) -> dict[str, int]:
    """Who is signed in where: by the number of the tap."""
    return {row["unit"]: row["seq"] for row in rows(store, "signed_in")["signed_in"]}


def told_by(store: Store) -> list[told.Difference]:
    """Where the tables are not what the facts say."""
    reading = told.Reading()
    with store._engine.connect() as connection:
        for _ in reading.read(connection):
            pass
        return told.differences(connection, *reading.told(connection))


def plan(unit: str, *, away_ms: int = AWAY_MS, cap: int | None = None) -> PlannedDesk:
    return PlannedDesk(unit=unit, desk=unit.upper(), room="Nord", cap=cap, away_ms=away_ms)


def life(unit: str, boots: list[list[tuple[str, float]]]) -> list[Incoming]:
    """All facts of a unit: what happens after each of its starts, so many minutes apart."""
    minute, facts = 0.0, []
    for boot, happenings in enumerate(boots, start=1):
        facts.append(boot_fact(boot, minute, f"1.{boot}", unit=unit))
        for seq, (what, gap) in enumerate(happenings, start=2):
            minute += gap
            facts.append(came(_fact(what, unit, boot, seq), minute, late=seq % 3))
        facts.append(came(Press(unit=unit, boot=boot, seq=1, up=5), minute))
    return facts


def _fact(what: str, unit: str, boot: int, seq: int) -> AnyFact:
    if what in {"sit", "rise"}:
        return Seat(unit=unit, boot=boot, seq=seq, up=seq, occupied=what == "sit")
    if what == "chip":
        return Chip(unit=unit, boot=boot, seq=seq, up=seq, chip="mfrc522", ok=False)
    tag = ANNA if what == "enrol" else what
    return Tag(unit=unit, boot=boot, seq=seq, up=seq, tag=tag, enrol=what == "enrol")


def model(store: Store, facts: Sequence[Incoming]) -> dict[str, tuple[int, int, int | None]]:
    """The sessions by the plainest fold: all of a unit's last boot, one after the other."""
    found = {}
    tags = (ANNA, ANNAS_BADGE, BEA, CLEANER)
    entries = {tag: store.registry.record("s", tag) for tag in tags}
    register_ = {tag: entry for tag, entry in entries.items() if entry is not None}
    for unit in {each.fact.unit for each in facts if each.lane == "ordinary"}:
        own = {e.fact.seq: e for e in facts if e.fact.unit == unit and e.lane == "ordinary"
               and e.fact.boot == max(f.fact.boot for f in facts if f.fact.unit == unit
                                      and f.lane == "ordinary")}  # fmt: skip
        events = []
        for seq, each in sorted(own.items()):
            at_ms = each.time_ms - each.time_ms % MINUTE
            if isinstance(each.fact, Seat):
                events.append(Event(seq, at_ms, each.fact.occupied, None))
            elif isinstance(each.fact, Tag) and not each.fact.enrol:
                events.append(Event(seq, at_ms, None, each.fact.tag))
        boot = own[min(own)].fact.boot
        session = fold(None, events, Rules(boot, AWAY_MS + GRACE_MS, register_))
        if session is not None:
            found[unit] = (session.seq, session.since_ms, session.idle_ms)
    return found


def nowhere(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""
