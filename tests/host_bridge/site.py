"""A small site for tests: its settings, and facts committed to a real store."""

import time
from pathlib import Path

from host_bridge.contract.facts import AnyFact, Press, Seat, Tag, lane_of
from host_bridge.settings import Broker, Desk, Room, Settings, Site, Web
from host_bridge.settings import Store as StoreSettings
from host_bridge.store import Batch, DeadLetter, Incoming, Store

NAME = "hq"
ANNA = "Anna Sorgente"
BEA = "Beatrice Fonda"
HEADSET_OF_ANNA = "a1" * 16
HEADSET_OF_BEA = "b2" * 16
CLEANER = "c3" * 16
UNITS = [f"u{number}" for number in range(1, 9)]


def settings_for(folder: Path, broker_port: int, *, web_port: int = 8080, cap: int = 4) -> Settings:
    """Two rows of four desks, 1.6 m apart, neighbours excluded."""
    desks = [
        Desk(name=f"A{n + 1}", unit=unit, x=(n % 4) * 1.6, y=(n // 4) * 1.6)
        for n, unit in enumerate(UNITS)
    ]
    room = Room(name="Sala Nord", desks=desks, clearance=2.0, cap=cap)
    return Settings(
        site=Site(name=NAME, rooms=[room]),
        broker=Broker(port=broker_port),
        store=StoreSettings(url=f"sqlite:///{folder}/chequer.db"),
        web=Web(port=web_port),
    )


def register(store: Store) -> None:
    """Two headsets and a cleaner's card."""
    store.registry.issue(NAME, HEADSET_OF_ANNA, "headset", ANNA)
    store.registry.issue(NAME, HEADSET_OF_BEA, "headset", BEA)
    store.registry.issue(NAME, CLEANER, "cleaner", None)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def commit(store: Store, *facts: AnyFact, dead: int = 0, ago_ms: int = 0, site: str = NAME) -> None:
    """Commit facts as a relay does, `ago_ms` after they were received."""
    received = now_ms() - ago_ms
    letters = [
        DeadLetter(received_ms=received, topic="chequer/v1/hq/u1/fact", payload=b"?", reason="test")
        for _ in range(dead)
    ]
    incoming = [
        Incoming(
            site=site,
            lane=lane_of(fact),
            fact=fact,
            time_ms=received - (fact.age or 0),
            sure="age" if fact.age is not None else "arrival",
            received_ms=received,
            topic=f"chequer/v1/{site}/{fact.unit}/fact",
        )
        for fact in facts
    ]
    store.commit(
        Batch(worker="w1", received=len(facts) + dead, facts=incoming, dead_letters=letters)
    )


def seat(unit: str, seq: int, occupied: bool, *, boot: int = 1, age: int | None = 0) -> Seat:
    return Seat(unit=unit, boot=boot, seq=seq, up=seq, age=age, occupied=occupied)


def tap(unit: str, seq: int, tag: str, *, boot: int = 1, age: int | None = 0) -> Tag:
    return Tag(unit=unit, boot=boot, seq=seq, up=seq, age=age, tag=tag)


def press(unit: str, seq: int, *, boot: int = 1) -> Press:
    return Press(unit=unit, boot=boot, seq=seq, up=seq, age=0)
