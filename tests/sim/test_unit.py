"""The real firmware on the simulated board, with a real broker."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from host_bridge.contract.facts import AnyFact
from sim.parts import Parts
from sim.tags import tag_hash
from sim.unit import SimUnit, share_kib
from sim.vm import VmError
from sim.world import FAULTS
from tests.services import Mosquitto
from tests.sim.bench import KEY, SITE, UNIT, Ear, event, go, powered, until

UID = "04A1B2C3D4E5F6"
ALL = Parts("pn532", ("ld2410", "pir", "seat-switch"))


@pytest.fixture
def ear(mosquitto: Mosquitto) -> Iterator[Ear]:
    """Somebody who hears everything on the broker."""
    ear = Ear(mosquitto.port)
    yield ear
    ear.close()


def test_a_tapped_card_becomes_a_valid_tag_fact_without_its_uid(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            boot = await ear.fact("boot")
            assert boot["cause"] == "power"
            await unit.tap(UID)
            fact = await ear.fact("tag")
            assert fact["tag"] == tag_hash(KEY, UID)
            await unit.wait_for(lambda shown: shown.display == ["PROVI", "SIONAL"])

    go(work)
    facts = [fact for kind in ("boot", "tag", "provisional") for fact in ear.facts(kind)]
    for fact in facts:
        msgspec.convert(fact, AnyFact)
    everything = json.dumps(ear.heard).upper()
    assert UID not in everything


def test_two_cards_at_once_become_two_facts(tmp_path: Path, mosquitto: Mosquitto, ear: Ear) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            await unit.tap(UID, "04A1B2C4", ms=800)
            await ear.fact("tag", 2)

    go(work)
    assert {fact["tag"] for fact in ear.facts("tag")} == {
        tag_hash(KEY, UID),
        tag_hash(KEY, "04A1B2C4"),
    }


def test_a_bouncing_press_is_one_press_fact_and_is_seen_at_the_desk(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            await unit.press(120)
            await unit.wait_for(lambda s: s.display in (["PRESSED"], ["SENT"]) and any(s.ring[0]))
            press = await ear.fact("press")
            msgspec.convert(press, AnyFact)
            ear.acknowledge(press, "button")
            await unit.wait_for(lambda shown: shown.display == ["STORED"])

    go(work)
    assert len(ear.facts("press")) == 1


def test_a_machine_that_stands_still_while_a_contact_bounces_makes_no_second_press(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    presses = 16

    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            assert unit.pid
            vm = psutil.Process(unit.pid)
            for number in range(presses):
                pressing = asyncio.create_task(unit.press(100))
                # From before the contact opens until it has long been at rest.
                await asyncio.sleep(0.096 + 0.001 * number)
                vm.suspend()
                await asyncio.sleep(0.08)
                vm.resume()
                await pressing
                await asyncio.sleep(0.1)
            await until(lambda: len(seen(ear)) >= presses, 8)
            await asyncio.sleep(0.5)

    go(work)
    assert len(seen(ear)) == presses


def test_a_machine_that_stands_still_between_two_presses_makes_two(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            assert unit.pid
            vm = psutil.Process(unit.pid)
            for before in range(0, 16, 2):
                pressing = asyncio.create_task(unit.press(200))
                await until(lambda: len(seen(ear)) == before + 1, 8)  # noqa: B023 (waited for)
                # From before the contact opens until long after it is to be closed again.
                vm.suspend()
                await pressing
                pressing = asyncio.create_task(unit.press(60))
                await asyncio.sleep(0.15)
                vm.resume()
                await pressing
                await until(lambda: len(seen(ear)) == before + 2, 8)  # noqa: B023 (waited for)
            await asyncio.sleep(0.5)

    go(work)
    assert len(seen(ear)) == 16


def seen(ear: Ear) -> set[int]:
    """The numbers of the presses that came; facts come again until they are acknowledged."""
    return {fact["seq"] for fact in ear.facts("press")}


def test_what_was_not_acknowledged_survives_a_power_cut_and_comes_again(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            first = await ear.fact("boot")
            await unit.press()
            press = await ear.fact("press")
            await unit.power_cut()
            await unit.power_on()
            again = await ear.fact("press", 2)
            assert (again["boot"], again["seq"]) == (press["boot"], press["seq"])
            await until(lambda: ear.facts("boot")[-1]["boot"] != first["boot"])

    go(work)
    boots = [fact["boot"] for fact in ear.facts("boot")]
    assert max(boots) == min(boots) + 1


def test_nobody_is_told_of_a_power_cut_until_the_keep_alive_has_passed(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            await unit.power_cut()
            await asyncio.sleep(1)
            states = [body for topic, body in ear.heard if topic.endswith("/state")]
            assert states[-1]["online"]

    go(work)


def test_without_network_facts_wait_and_come_with_their_age(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            with unit.watch() as events:
                await unit.network(False)
                while "not connected" not in await event(events, "console"):
                    pass
            await unit.tap(UID)
            await asyncio.sleep(1)
            assert not ear.facts("tag")
            await unit.network(True)
            fact = await ear.fact("tag", seconds=30)
            assert fact["age"] >= 900

    go(work)


def test_somebody_before_the_radar_makes_the_seat_occupied(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            await unit.radar("still", 70)
            await until(lambda: any(fact["occupied"] for fact in ear.facts("seat")))

    go(work)


@pytest.mark.parametrize(
    ("chip", "kind", "said"),
    [
        ("mfrc522", "missing", "rfid"),
        ("mfrc522", "stuckff", "rfid"),
        ("mfrc522", "noise", "rfid"),
        ("ld2410", "missing", "radar"),
        ("ssd1306", "missing", "display"),
    ],
)
def test_a_broken_chip_is_told_of_and_works_again_when_mended(  # noqa: PLR0917
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear, chip: str, kind: str, said: str
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            await asyncio.sleep(0.5)
            await unit.fault(chip, kind)
            broken = await ear.fact("chip", seconds=15)
            assert (broken["chip"], broken["ok"]) == (said, False)
            await unit.fault(chip, "none")
            mended = await ear.fact("chip", 2, seconds=15)
            assert (mended["chip"], mended["ok"]) == (said, True)

    go(work)


def test_a_fault_that_a_chip_does_not_have_is_refused(tmp_path: Path) -> None:
    unit = SimUnit(folder=tmp_path, broker=("127.0.0.1", 1), site=SITE, unit=UNIT, site_key=KEY)

    async def work() -> None:
        with pytest.raises(ValueError, match="no chip"):
            await unit.fault("toaster", "none")
        for chip in FAULTS:
            with pytest.raises(ValueError, match=f"{chip} knows"):
                await unit.fault(chip, "burnt")

    go(work)


def test_without_power_nothing_can_be_tapped_but_the_world_goes_on(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            await unit.power_cut()
            with pytest.raises(VmError, match="no power"):
                await unit.tap(UID)
            await unit.put(UID)
            await unit.power_on()
            await ear.fact("tag")  # it lies there when the unit starts

    go(work)


def test_a_vm_that_dies_starts_again_as_after_a_panic(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            with unit.watch() as events:
                assert unit.pid is not None
                psutil.Process(unit.pid).kill()
                assert await event(events, "reset") == "hard"
            await until(lambda: any(fact["cause"] == "hard" for fact in ear.facts("boot")))

    go(work)


def test_the_configuration_is_kept_and_only_the_broker_follows(tmp_path: Path) -> None:
    async def work() -> None:
        async with powered(tmp_path, "") as unit:
            assert unit.powered
        path = tmp_path / "unit" / "files" / "config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps({**config, "boot_base": 40}))
        async with powered(tmp_path, ""):
            changed = json.loads(path.read_text())
        assert changed["boot_base"] == 40
        assert changed["site_key"] == KEY.hex()

    go(work)


@pytest.mark.parametrize("parts", [Parts(), ALL])
def test_the_simulator_takes_no_more_memory_than_it_is_given(tmp_path: Path, parts: Parts) -> None:
    """Else the firmware would have less than on the chip; far less, and it would have more."""
    code = """
import esp32, network
for name in ("Pin", "PWM", "SPI", "I2C", "UART", "WDT", "RTC"):
    getattr(machine, name)
async def main():
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""

    async def work() -> None:
        async with powered(tmp_path, code, parts=parts) as unit:
            used, _ = await unit.heap()
            given = share_kib(parts) * 1024
            print(f"\nsimulator: {used} bytes of heap, {given} given")
            assert 0.8 * given < used < 1.2 * given

    go(work)


def test_the_firmware_lives_in_the_memory_of_the_chip(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port, heap="224k") as unit:
            await ear.fact("boot")
            for _ in range(5):
                await unit.tap(UID, ms=300)
                await unit.press(60)
                await asyncio.sleep(0.3)
            used, free = await unit.heap()
            print(f"\nheap: {used} bytes in use, {free} free")
            assert free > 32 * 1024

    go(work)


def test_an_idle_unit_is_small_and_leaves_the_processor_alone(
    tmp_path: Path, mosquitto: Mosquitto, ear: Ear
) -> None:
    async def work() -> None:
        async with powered(tmp_path, port=mosquitto.port) as unit:
            await ear.fact("boot")
            await asyncio.sleep(1)
            assert unit.pid is not None
            process = psutil.Process(unit.pid)
            before = process.cpu_times()
            await asyncio.sleep(4)
            after = process.cpu_times()
            cpu = (after.user - before.user + after.system - before.system) / 4
            memory = process.memory_full_info()
            print(f"\nidle: {cpu:.1%} CPU, RSS {memory.rss >> 10} KiB, own {memory.uss >> 10} KiB")
            assert cpu < 0.10
            assert memory.uss < 16 << 20

    go(work)
