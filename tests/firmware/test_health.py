"""What keeps a unit going on the real VM: watchdog, crash record, safe mode, clean restarts."""

import asyncio
from pathlib import Path

from host_bridge.contract.facts import Boot, Crash, Press
from host_bridge.contract.messages import Restart
from sim.unit import SimUnit
from tests.firmware.desk import until
from tests.firmware.host import Host
from tests.firmware.planted import FAST, copy, put, unit
from tests.services import Mosquitto

UID = "04a1b2c3d4e5f6"
POLL = "            tags = [self._tag_hash(uid) for uid in await self._reader.uids()]\n"
STUCK = (
    "desk_unit/senses.py",
    POLL,
    "            from asyncio import Event\n            await Event().wait()\n" + POLL,
)
BUSY = (
    "desk_unit/senses.py",
    POLL,
    "            if polls == 20:\n                while True:\n                    pass\n" + POLL,
)
BROKEN = (
    "drivers/mfrc522.py",
    "from port import",
    f'raise ValueError("card {UID}")\nfrom port import',
)
MENDED = (BROKEN[0], BROKEN[2], BROKEN[1])
RAISES = (
    "desk_unit/unit.py",
    "            now = self._uptime.now()\n            self._face.unprotected",
    f"""            now = self._uptime.now()
            if now > 1000:
                raise ValueError("{UID}")
            self._face.unprotected""",
)


def boots(host: Host) -> list[Boot]:
    found = {fact.boot: fact for fact in host.facts if isinstance(fact, Boot)}
    return [found[boot] for boot in sorted(found)]


def crashes(host: Host) -> list[Crash]:
    found = {(fact.boot, fact.seq): fact for fact in host.facts if isinstance(fact, Crash)}
    return [found[key] for key in sorted(found)]


async def test_stuck_task_starves_the_watchdog_and_the_next_boot_names_it(
    tmp_path: Path, mosquitto: Mosquitto, host: Host
) -> None:
    async with unit(tmp_path, mosquitto.port, copy(tmp_path, *FAST, STUCK)):
        await until(lambda: len(boots(host)) == 2 and crashes(host), 30)
    assert [boot.cause for boot in boots(host)[:2]] == ["power", "watchdog"]
    assert crashes(host)[0].text.startswith("stuck: rfid")
    assert (crashes(host)[0].boot, crashes(host)[0].failed) == (2, 1)


async def test_program_that_never_lets_others_run_is_ended_by_the_watchdog(
    tmp_path: Path, mosquitto: Mosquitto, host: Host
) -> None:
    async with unit(tmp_path, mosquitto.port, copy(tmp_path, *FAST, BUSY)):
        await until(lambda: len(boots(host)) == 2, 30)
    assert boots(host)[1].cause == "watchdog"


async def test_task_that_fails_again_and_again_is_reported_with_its_exception_and_place(
    tmp_path: Path, mosquitto: Mosquitto, host: Host
) -> None:
    firmware = copy(tmp_path, *FAST, RAISES)
    async with unit(tmp_path, mosquitto.port, firmware):
        await until(lambda: crashes(host), 30)
    text = crashes(host)[0].text
    assert text.startswith("stuck: tick ValueError at desk_unit/unit.py:"), text
    assert UID not in text


async def test_unit_that_works_is_not_reset(
    tmp_path: Path, mosquitto: Mosquitto, host: Host
) -> None:
    async with unit(tmp_path, mosquitto.port, copy(tmp_path, *FAST)):
        await until(lambda: boots(host))
        await asyncio.sleep(12)
    assert len(boots(host)) == 1
    assert not crashes(host)


async def test_five_failed_starts_lead_to_safe_mode_and_a_mended_program_out_of_it(
    tmp_path: Path, mosquitto: Mosquitto, host: Host
) -> None:
    async with unit(tmp_path, mosquitto.port) as whole:
        await until(lambda: boots(host))
        await whole.network(present=False)
        await whole.press()
        await until(lambda: "PRESSED" in whole.show().display)
    firmware = copy(tmp_path, BROKEN)
    async with unit(tmp_path, mosquitto.port, firmware) as broken:
        await broken.wait_for(lambda shown: "SAFEMODE" in shown.display, 30)
        await broken.wait_for_ring(lambda ring: any(map(any, ring)))
        await until(lambda: host.states and host.states[-1].mode == "safe")
        assert "button is on" in host.states[-1].faults["safe-mode"]
        await until(lambda: any(isinstance(fact, Press) for fact in host.facts))
        # The crash goes ahead, live, of the boot that was written first.
        await until(lambda: crashes(host) and len(boots(host)) == 2)
        assert crashes(host)[0].text.startswith("ValueError at drivers/mfrc522.py:")
        assert crashes(host)[0].failed == 5
        # A boot that never came as far as its journal has no number of its own.
        assert [boot.boot for boot in boots(host)] == [1, 2]
        await restart(broken, host)
        await until(lambda: len(boots(host)) == 3, 30)
        await until(lambda: host.states[-1].mode == "safe" and host.states[-1].boot == 3)
        put(firmware, MENDED)
        await restart(broken, host)
        await until(lambda: host.states[-1].mode == "normal", 30)
        await until(lambda: len(boots(host)) == 4)
        assert boots(host)[3].clean
    assert not any(UID.encode() in payload for payload in host.payloads)


async def restart(broken: SimUnit, host: Host) -> None:
    """Say it in vain, for another boot; then for this one."""
    boot = host.states[-1].boot
    assert boot
    host.tell("restart", Restart(boot=boot + 1))
    host.tell("restart", Restart(boot=boot))
    with broken.watch() as events:
        while "reset" not in await events.get():
            pass


async def test_restart_on_purpose_is_told_from_a_crash_and_a_power_cut(
    tmp_path: Path, mosquitto: Mosquitto, host: Host
) -> None:
    async with unit(tmp_path, mosquitto.port) as started:
        await until(lambda: host.states and host.states[-1].online)
        await restart(started, host)
        await until(lambda: len(boots(host)) == 2)
        await started.power_cut()
        await started.power_on()
        await until(lambda: len(boots(host)) == 3)
    assert [(boot.cause, boot.clean) for boot in boots(host)] == [
        ("power", False),
        ("hard", True),
        ("power", False),
    ]
