"""`make firmware`: the folder is complete, deterministic, and runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.contract.facts import Boot, Press, Tag
from host_bridge.update import bundle, folder, signing
from tests.firmware.desk import until
from tests.firmware.host import Host
from tests.firmware.planted import FIRMWARE, copy, unit
from tests.services import Mosquitto

BUILDER = FIRMWARE.parent / "scripts" / "build_firmware.py"
NOT_IN_THE_BUNDLE = {"main.py", "loader.py", "port_cpython.py"}


def build(target: Path, *options: object) -> Path:
    """Build; the folder."""
    subprocess.run([sys.executable, BUILDER, target, *options], check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("build") / "firmware")


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_starts_the_unit_the_loader_and_one_bundle_are_there_and_nothing_else(
    built: Path,
) -> None:
    assert set(content(built)) == {
        "main.py", "loader.mpy", "a.bundle", "a.ready", "pins.json",
        "update/__init__.mpy", "update/slots.mpy",
        "update/bundle_files.mpy", "update/bundle_index.mpy",
    }  # fmt: skip


def test_every_module_is_in_the_bundle_compiled_and_nothing_else(built: Path) -> None:
    modules = {
        path.relative_to(FIRMWARE).with_suffix(".mpy").as_posix()
        for path in FIRMWARE.rglob("*.py")
        if path.name not in NOT_IN_THE_BUNDLE
    }
    made = bundle.read((built / "a.bundle").read_bytes())
    assert {file.path for file in made.manifest.files} == modules
    assert made.manifest.version == 1_000  # 0.1.0
    assert not made.signed


def test_same_sources_give_the_same_bytes_also_over_an_old_folder(
    built: Path, tmp_path: Path
) -> None:
    target = tmp_path / "again"
    target.mkdir()
    (target / "left_over.mpy").write_bytes(b"old")
    assert content(build(target)) == content(built)


def test_with_a_key_the_bundle_is_signed_and_the_unit_gets_the_key_s_public_half(
    tmp_path: Path,
) -> None:
    public = signing.make_key(tmp_path / "key.pem")
    made = build(tmp_path / "firmware", "--key", tmp_path / "key.pem")
    assert (made / "release.pub").read_bytes() == signing.modulus(public)
    assert folder.read(made)[1] == bundle.verify((made / "a.bundle").read_bytes(), public)


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
        assert not any("stopped" in line for line in started.console()), "the first start failed"
    host.close()


async def test_a_slot_that_cannot_be_imported_is_left_for_the_other_one(
    built: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    broken = copy(tmp_path, ("board/start.py", "def run(", "raise ImportError\ndef run("))
    folder.write(broken, tmp_path / "broken", hardware=[1])
    for name in ("bundle", "ready"):
        (tmp_path / "broken" / f"b.{name}").write_bytes((built / f"a.{name}").read_bytes())
    host = Host(mosquitto.port)
    async with unit(tmp_path, mosquitto.port, tmp_path / "broken"):
        await until(lambda: any(isinstance(fact, Boot) for fact in host.facts))
    host.close()


def test_every_built_module_can_be_imported(built: Path, tmp_path: Path) -> None:
    unpacked = folder.unpack(built, tmp_path / "unpacked")
    names = sorted(
        ".".join(path.relative_to(unpacked).with_suffix("").parts).removesuffix(".__init__")
        for path in unpacked.rglob("*.mpy")
    )
    places = (unpacked, FIRMWARE.parent / "sim/board", FIRMWARE.parent, ".frozen")
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-c", f"for n in {names}: __import__(n)"],
        env={"MICROPYPATH": ":".join(map(str, places))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
