"""Rounds that see nothing new are left out, and nobody can tell from the facts."""

import asyncio
import json
from pathlib import Path

import psutil

from sim.unit import SimUnit
from tests.services import Mosquitto
from tests.sim.bench import KEY, SITE, Ear, go, until

UID = "04A1B2C3D4E5F6"
CALM_S = 13.0
LOOK_S = 4.0
FEWER = 0.75  # nobody acknowledges here, so that ring and display are kept awake by the link
SAME_MS = 1_000  # how far apart the moments may be on a machine that others use too


def test_a_dozing_unit_reports_the_same_facts_with_far_fewer_wake_ups(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    ear = Ear(mosquitto.port)
    units = [_unit(tmp_path, mosquitto.port, name) for name in ("awake", "dozing")]

    async def work() -> None:
        try:
            await asyncio.gather(*(unit.start() for unit in units))
            await _use(units, ear)
        finally:
            await asyncio.gather(*(unit.stop() for unit in units))

    try:
        go(work)
        awake, dozing = (_facts(ear, unit.name) for unit in units)
    finally:
        ear.close()
    assert [_content(fact) for fact in awake] == [_content(fact) for fact in dozing]
    assert [fact["type"] for fact in awake].count("seat") >= 2
    for one, other in zip(awake[1:], dozing[1:], strict=True):
        apart = (one["up"] - awake[0]["up"]) - (other["up"] - dozing[0]["up"])
        assert abs(apart) < SAME_MS, (one, other)


async def _use(units: list[SimUnit], ear: Ear) -> None:
    """A calm while, then everything that a person does, each thing to both at the same time."""
    for unit in units:  # else the link, which is told of everything again, keeps both awake
        await until(lambda unit=unit: _facts(ear, unit.name) != [])
    await asyncio.sleep(CALM_S)
    before = [_wake_ups(unit) for unit in units]
    await asyncio.sleep(LOOK_S)
    awake, dozing = (_wake_ups(unit) - then for unit, then in zip(units, before, strict=True))
    assert dozing < FEWER * awake, (awake, dozing)
    await asyncio.gather(*(unit.radar("still") for unit in units))
    await asyncio.sleep(4)
    await asyncio.gather(*(unit.tap(UID) for unit in units))
    await asyncio.gather(*(unit.press() for unit in units))
    await asyncio.sleep(1)
    await asyncio.gather(*(unit.radar("none") for unit in units))
    for unit in units:
        name = unit.name
        await until(lambda name=name: _vacant(ear, name), 20)
    await asyncio.gather(*(unit.fault("ld2410", "missing") for unit in units))
    for unit in units:
        name = unit.name
        await until(lambda name=name: _facts(ear, name)[-1]["type"] == "chip", 20)


def _unit(folder: Path, port: int, name: str) -> SimUnit:
    return SimUnit(
        folder=folder / name,
        broker=("127.0.0.1", port),
        site=SITE,
        unit=name,
        site_key=KEY,
        doze=name == "dozing",
    )


def _wake_ups(unit: SimUnit) -> int:
    return int(psutil.Process(unit.pid).num_ctx_switches().voluntary)


def _facts(ear: Ear, unit: str) -> list[dict[str, object]]:
    """Each fact of a unit once, in the order in which things happened."""
    found = {}
    for topic, body in ear.heard:
        if topic.endswith((f"/{unit}/fact", f"/{unit}/button")):
            for fact in body if isinstance(body, list) else [body]:
                found[json.dumps([fact["type"], fact["seq"]])] = fact
    return sorted(found.values(), key=lambda fact: fact["up"])


def _content(fact: dict[str, object]) -> dict[str, object]:
    own = ("unit", "up", "age", "clock", "quality", "boot")
    return {name: value for name, value in fact.items() if name not in own}


def _vacant(ear: Ear, unit: str) -> bool:
    seats = [fact for fact in _facts(ear, unit) if fact["type"] == "seat"]
    return bool(seats) and len(seats) >= 2 and not seats[-1]["occupied"]
