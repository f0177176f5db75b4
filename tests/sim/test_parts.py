"""Units with other chips than the usual ones: the real firmware on the simulated board."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from host_bridge.contract.facts import AnyFact
from host_bridge.provision.board import PN532_DRIVER
from sim.parts import Parts, of
from sim.tags import tag_hash
from sim.unit import SimUnit
from tests.firmware import planted
from tests.services import Mosquitto
from tests.sim.bench import KEY, SITE, UNIT, Ear, go, powered, until

UID = "04A1B2C3D4E5F6"
ALL = Parts("pn532", ("ld2410", "pir", "seat-switch"))
QUICK: tuple[planted.Plant, ...] = (
    ("drivers/pir.py", "WARM_UP_MS = const(60_000)", "WARM_UP_MS = const(500)"),
    ("drivers/pir.py", "STUCK_MS = const(3_600_000)", "STUCK_MS = const(20_000)"),
    ("drivers/seat_switch.py", "STUCK_MS = const(21_600_000)", "STUCK_MS = const(20_000)"),
    ("drivers/seat_switch.py", "_WINDOW_MS = const(10_000)", "_WINDOW_MS = const(2_000)"),
    # In a fifth of the time fewer changes; a busy machine polls the contact less often, too.
    ("drivers/seat_switch.py", "MOST_CHANGES = const(20)", "MOST_CHANGES = const(6)"),
    ("desk_unit/seat.py", "OCCUPIED_MS = const(2_000)", "OCCUPIED_MS = const(800)"),
    ("desk_unit/seat.py", "VACANT_MS = const(10_000)", "VACANT_MS = const(1_000)"),
)
"""What shows after an hour, or six, shows after twenty seconds: nobody here sits for so long."""


@pytest.fixture
def ear(mosquitto: Mosquitto) -> Iterator[Ear]:
    """Somebody who hears everything on the broker."""
    ear = Ear(mosquitto.port)
    yield ear
    ear.close()


def chip_facts(ear: Ear, chip: str) -> list[bool]:
    """Whether it works, in each fact about it; nobody acknowledges, so that facts come again."""
    told = {fact["seq"]: fact for fact in ear.facts("chip")}
    return [told[seq]["ok"] for seq in sorted(told) if told[seq]["chip"] == chip]


def last_state(ear: Ear) -> dict[str, Any]:
    """What the unit said last; the broker speaks for one whose connection was lost."""
    return [body for topic, body in ear.heard if topic.endswith("/state") and body["online"]][-1]


@pytest.mark.parametrize("kind", ["missing", "noise", "truncated", "hung"])
def test_a_dying_pn532_is_told_of_the_rest_works_and_so_does_it_when_mended(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear, kind: str
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port, parts=ALL) as unit:
            await ear.fact("boot")
            await asyncio.sleep(1)
            await unit.fault("pn532", kind)
            await until(lambda: chip_facts(ear, "rfid") == [False], 15)
            await until(lambda: "rfid" in last_state(ear)["faults"], 15)
            await unit.press()
            await ear.fact("press")
            await unit.fault("pn532", "none")
            await until(lambda: chip_facts(ear, "rfid") == [False, True], 15)
            await until(lambda: not last_state(ear)["faults"], 15)
            await unit.tap(UID)
            await ear.fact("tag")

    go(work)
    for fact in ear.facts("chip"):
        msgspec.convert(fact, AnyFact)


def test_dying_sensors_are_told_of_one_by_one_the_rest_works_and_so_do_they_when_mended(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def break_and_mend(unit: SimUnit, chip: str, kind: str, said: str) -> None:
        before = chip_facts(ear, said)
        await unit.fault(chip, kind)
        await until(lambda: chip_facts(ear, said) == [*before, False], 40)
        await until(lambda: said in last_state(ear)["faults"], 15)
        await unit.radar("still")
        await until(lambda: last_state(ear)["occupied"] is True, 10)
        await unit.radar("none")
        await until(lambda: last_state(ear)["occupied"] is False, 10)
        await unit.fault(chip, "none")
        await until(lambda: chip_facts(ear, said) == [*before, False, True], 15)
        await until(lambda: not last_state(ear)["faults"], 15)

    async def work() -> None:
        firmware = planted.copy(tmp_path, *QUICK)
        async with powered(tmp_path, None, mosquitto.port, parts=ALL, firmware=firmware) as unit:
            await ear.fact("boot")
            await asyncio.sleep(1)
            await break_and_mend(unit, "ld2410", "missing", "radar")
            await break_and_mend(unit, "ld2410", "noise", "radar")
            await break_and_mend(unit, "pir", "stuckff", "pir")
            await break_and_mend(unit, "seat-switch", "stuck00", "seat-switch")
            await break_and_mend(unit, "seat-switch", "noise", "seat-switch")

    go(work)
    told = {fact["seq"]: fact["chip"] for fact in ear.facts("chip")}
    assert [told[seq] for seq in sorted(told)] == (
        ["radar"] * 4 + ["pir"] * 2 + ["seat-switch"] * 4
    )


@pytest.mark.parametrize("chip", ["pn532", "ld2410"])
def test_a_chip_that_is_not_there_at_the_start_is_told_of(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear, chip: str
) -> None:
    said = {"pn532": "rfid", "ld2410": "radar"}[chip]

    async def work() -> None:
        unit = SimUnit(
            folder=tmp_path,
            broker=("127.0.0.1", mosquitto.port),
            site=SITE,
            unit=UNIT,
            site_key=KEY,
            parts=ALL,
        )
        await unit.fault(chip, "missing")
        try:
            await unit.start()
            fact = await ear.fact("chip", seconds=15)
            assert (fact["chip"], fact["ok"]) == (said, False)
            assert fact["reason"]
        finally:
            await unit.stop()

    go(work)


def test_a_pn532_reads_two_cards_and_no_uid_leaves_the_unit(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port, parts=ALL) as unit:
            await ear.fact("boot")
            await unit.tap(UID, "04A1B2C4", ms=1500)
            await ear.fact("tag", 2)

    go(work)
    hashes = {fact["tag"] for fact in ear.facts("tag")}
    assert hashes == {tag_hash(KEY, UID), tag_hash(KEY, "04A1B2C4")}
    assert UID not in json.dumps(ear.heard).upper()


@pytest.mark.parametrize(
    "presence", [("seat-switch",), ("pir", "seat-switch"), ("seat-switch", "ld2410"), ("ld2410",)]
)
def test_sitting_down_is_seen_whatever_sensors_there_are(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear, presence: tuple[str, ...]
) -> None:
    async def work() -> None:
        parts = of({"presence": presence})
        async with powered(tmp_path, port=mosquitto.port, parts=parts) as unit:
            await ear.fact("boot")
            await unit.radar("still", 70)
            await until(lambda: any(fact["occupied"] for fact in ear.facts("seat")))

    go(work)


def test_a_pir_alone_sees_somebody_who_sits_down(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        firmware = planted.copy(tmp_path, QUICK[0])
        parts = Parts("mfrc522", ("pir",))
        async with powered(tmp_path, None, mosquitto.port, parts=parts, firmware=firmware) as unit:
            await ear.fact("boot")
            await unit.radar("still", 70)
            await until(lambda: any(fact["occupied"] for fact in ear.facts("seat")), 20)

    go(work)


def test_movement_and_the_contact_can_be_played_one_by_one(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        parts = Parts("mfrc522", ("pir", "seat-switch"))
        async with powered(tmp_path, port=mosquitto.port, parts=parts) as unit:
            await ear.fact("boot")
            await unit.motion(3_000)
            await asyncio.sleep(4)
            assert not any(fact["occupied"] for fact in ear.facts("seat"))  # somebody walked past
            await unit.seat(True)
            await until(lambda: any(fact["occupied"] for fact in ear.facts("seat")))

    go(work)


def test_what_a_board_does_not_have_can_be_neither_broken_nor_played(tmp_path: Path) -> None:
    unit = SimUnit(folder=tmp_path, broker=("127.0.0.1", 1), site=SITE, unit=UNIT, site_key=KEY)

    async def work() -> None:
        with pytest.raises(ValueError, match="has no pn532; it has mfrc522, ld2410"):
            await unit.fault("pn532", "missing")
        with pytest.raises(ValueError, match="has no pir"):
            await unit.motion(100)
        with pytest.raises(ValueError, match="has no seat-switch"):
            await unit.seat(True)

    go(work)


def test_the_board_follows_the_configuration_of_a_folder_that_is_there_already(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with powered(tmp_path, "", parts=ALL):
            pass
        path = tmp_path / "unit" / "files" / "config.json"
        config = json.loads(path.read_text())
        assert (config["reader"], config["presence"]) == ("pn532", list(ALL.presence))
        async with powered(tmp_path, "") as unit:
            await unit.fault("pir", "stuckff")
        async with powered(tmp_path, "", parts=Parts()):
            assert json.loads(path.read_text())["reader"] == "mfrc522"

    go(work)


@pytest.mark.parametrize(
    "wrong", [{"reader": "rc522"}, {"presence": []}, {"presence": ["pir"] * 2}]
)
def test_a_board_of_chips_that_there_are_not_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"reader|presence"):
        of(wrong)


FACTORY = """
import sys
sys.path.append("/sources/firmware")
sys.modules["esp"] = sys
with open("/sources/host_bridge/provision/on_board/factory_test.py") as file:
    exec(file.read())
from board import pins
expected = {"reader": "pn532"}
%s
presence = ["ld2410", "pir", "seat-switch"]
for check in [_reader] + [_SENSORS[name] for name in presence if name in _SENSORS]:
    try:
        print(check.__name__, check(pins, expected)[0])
    except Exception as error:
        print(check.__name__, error)
"""


def test_the_factory_test_passes_a_board_with_a_pn532_and_names_what_is_missing(
    tmp_path: Path,
) -> None:
    async def tested(folder: Path, *broken: str) -> list[str]:
        async with powered(folder, "", parts=ALL, heap="400k") as unit:
            for chip in broken:
                await unit.fault(chip, "missing")
            await unit.power_cut()
            (folder / "firmware" / "main.py").write_text(FACTORY % PN532_DRIVER + "print('done')\n")
            await unit.power_on()
            await until(lambda: "done" in unit.console(), 10)
            return [line for line in unit.console() if line.startswith("_")]

    async def work() -> None:
        assert await tested(tmp_path / "good") == [
            "_reader True",
            "_radar True",
            "_seat_switch True",
        ]
        said = await tested(tmp_path / "bad", "pn532", "ld2410")
        assert said[0].startswith("_reader rfid: reads 00h only")
        assert said[1:] == ["_radar False", "_seat_switch True"]

    go(work)
