"""A board that was made boots: what the bench has written, started by the loader as on a desk."""

import asyncio
from pathlib import Path

from host_bridge.contract.facts import Boot
from host_bridge.provision import partitions
from sim.unit import SimUnit
from tests.firmware.host import SITE as SITE_NAME
from tests.firmware.host import UNIT, Host
from tests.provision.workshop import ROOT, SITE, SITE_KEY, make
from tests.services import Mosquitto

VFS = partitions.find(partitions.load(ROOT / "hardware/partitions.csv"), "vfs")


async def boot_fact(unit: SimUnit, host: Host) -> Boot:
    await unit.start()
    try:
        async with asyncio.timeout(20):
            # They come from another thread.
            while not (  # noqa: ASYNC110
                found := [fact for fact in host.facts if isinstance(fact, Boot)]
            ):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError("\n".join(unit.console())) from None
    finally:
        await unit.stop()
    return found[0]


def test_built_provisioned_and_plugged_in_it_starts_slot_a_and_reports_its_version(
    tmp_path: Path, mosquitto: Mosquitto
):
    workshop = make(tmp_path, 1)
    site = tmp_path / "site.toml"
    site.write_text(SITE.replace('"demo"', f'"{SITE_NAME}"'))
    (tmp_path / "units.csv").write_text(f"unit\n{UNIT}\n")
    board = workshop.board(1)
    with workshop.bench(board):
        done = workshop.provision()
    assert done.returncode == 0, done.stdout
    soc = tmp_path / "unit" / "soc"
    soc.mkdir(parents=True)
    (soc / "vfs.flash").write_bytes(board.flash.path.read_bytes()[VFS.offset : VFS.end])
    host = Host(mosquitto.port)
    unit = SimUnit(
        folder=tmp_path / "unit", broker=("127.0.0.1", mosquitto.port), site=SITE_NAME, unit=UNIT,
        site_key=bytes.fromhex(SITE_KEY), firmware=workshop.folder / "firmware",
    )  # fmt: skip
    boot = asyncio.run(boot_fact(unit, host))
    host.close()
    assert boot.firmware == "0.1.0"
    assert boot.boot > 1_000_000  # the base that provisioning has given it
