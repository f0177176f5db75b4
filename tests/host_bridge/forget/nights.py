"""A site whose nights pass at a clock of the test's own."""

import time
from pathlib import Path

import msgspec

from host_bridge.contract.facts import AnyFact, Boot, Press, Seat, Tag, lane_of
from host_bridge.forget import amounts, forget
from host_bridge.settings import Settings
from host_bridge.settings import Store as StoreSettings
from host_bridge.store import Batch, Incoming, Run, Store
from tests.host_bridge import site

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NIGHT = time.time_ns() // 1_000_000 // DAY * DAY + 3 * HOUR
"""Three o'clock of today: the stores' own views look at the machine's clock."""


def settings_at(url: str, folder: Path) -> Settings:
    """The site of eight desks, in one of the databases."""
    made = site.settings_for(folder, 1)
    return msgspec.structs.replace(made, store=StoreSettings(url=url))


def commit(store: Store, fact: AnyFact, at_ms: int, *, late_ms: int = 0) -> None:
    """A fact of that time, which arrived so much later."""
    item = Incoming(
        site=site.NAME, lane=lane_of(fact), fact=fact, time_ms=at_ms, sure="age",
        received_ms=at_ms + late_ms, topic=f"chequer/v1/{site.NAME}/{fact.unit}/fact",
    )  # fmt: skip
    store.commit(Batch(worker="w1", received=1, facts=[item], dead_letters=[]))


def tap(unit: str, seq: int, tag: str, *, boot: int = 1, up: int = 0) -> Tag:
    return Tag(unit=unit, boot=boot, seq=seq, up=up or seq, tag=tag)


def seat(unit: str, seq: int, occupied: bool, *, boot: int = 1) -> Seat:
    return Seat(unit=unit, boot=boot, seq=seq, up=seq, occupied=occupied)


def press(unit: str, seq: int, *, up: int = 0, drill: bool = False) -> Press:
    return Press(unit=unit, boot=1, seq=seq, up=up or seq, drill=drill)


def boot(unit: str, number: int) -> Boot:
    return Boot(unit=unit, boot=number, seq=1, up=1, cause="power", firmware="1")


def run(
    store: Store, settings: Settings, now_ms: int = NIGHT, *, clock_is_right: bool = True
) -> dict[str, Run]:
    """One night's deletion, to its end."""
    work = forget(store, settings, now_ms, clock_is_right=clock_is_right)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return {each.data: each for each in end.value}


def over(store: Store, settings: Settings, now_ms: int = NIGHT) -> dict[str, int]:
    """What is over its time, by class."""
    return {each.data: each.over for each in amounts(store, settings, now_ms) if each.over}


def types(store: Store) -> list[tuple[str, int]]:
    """The facts that are there: unit and number."""
    return [(f.unit, f.seq) for f in store.facts_after(0, 100_000)]
