"""`make firmware`: the folder is complete, deterministic, and runs."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.contract.facts import Boot, Press, Tag
from tests.firmware.desk import until
from tests.firmware.host import Host
from tests.firmware.planted import FIRMWARE, unit
from tests.services import Mosquitto

BUILDER = FIRMWARE.parent / "scripts" / "build_firmware.py"


def build(folder: Path) -> Path:
    """Build; the folder."""
    subprocess.run([sys.executable, BUILDER, folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("build") / "firmware")


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_module_is_there_compiled_and_nothing_else(built: Path) -> None:
    modules = {
        path.relative_to(FIRMWARE).with_suffix(".mpy").as_posix()
        for path in FIRMWARE.rglob("*.py")
        if path.name not in ("main.py", "port_cpython.py")
    }
    assert set(content(built)) == modules | {"main.py", "manifest.json"}


def test_same_sources_give_the_same_bytes_also_over_an_old_folder(
    built: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "left_over.mpy").write_bytes(b"old")
    assert content(build(folder)) == content(built)


def test_manifest_names_every_file_with_its_size_and_hash(built: Path) -> None:
    files = content(built)
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == [
        {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())
    ]
    assert manifest["version"]


def test_no_path_of_this_machine_is_in_it(built: Path) -> None:
    for path, data in content(built).items():
        assert str(FIRMWARE.parent).encode() not in data, path


async def test_built_folder_runs_a_unit_from_tap_and_press_to_the_host(
    built: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    host = Host(mosquitto.port)
    async with unit(tmp_path, mosquitto.port, built) as started:
        await until(lambda: any(isinstance(fact, Boot) for fact in host.facts))
        await started.tap("04a1b2c3d4e5f6")
        await started.press()
        await until(lambda: any(isinstance(fact, Tag) for fact in host.facts))
        await until(lambda: any(isinstance(fact, Press) for fact in host.facts))
        await started.wait_for(lambda shown: "STORED" in shown.display)
    host.close()


def test_every_built_module_can_be_imported(built: Path) -> None:
    names = sorted(
        ".".join(path.relative_to(built).with_suffix("").parts).removesuffix(".__init__")
        for path in built.rglob("*.mpy")
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-c", f"for n in {names}: __import__(n)"],
        env={"MICROPYPATH": f"{built}:{FIRMWARE.parent / 'sim/board'}:{FIRMWARE.parent}:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
