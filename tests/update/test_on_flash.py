"""An update of the project's own firmware on the MicroPython VM, with the chip's small heap, in the
partition that the chip has."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.provision import partitions
from host_bridge.update import bundle, manifest, signing
from host_bridge.update import folder as folders
from tests.update.conftest import ROOT, on_vm

BLOCK = 4096
BLOCKS = partitions.find(partitions.load(ROOT / "hardware/partitions.csv"), "vfs").size // BLOCK
OTHERS = {"config.json": 1500, "config.good.json": 1500, "known.bin": 2500}
"""Files that a unit has besides, and about the most bytes that each may have."""


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> bundle.Bundle:
    """The firmware as it is in the sources, as the next version."""
    return bundle.sign(bundle.build(ROOT / "firmware", 999, hardware=[1]), key)


@pytest.fixture
def folder(tmp_path: Path, key: rsa.RSAPrivateKey, firmware: bundle.Bundle) -> Path:
    """A folder with the key, the bundle, and the files of a new unit."""
    folders.write(ROOT / "firmware", tmp_path / "built", hardware=[1], key=key)
    files, _ = folders.read(tmp_path / "built")
    files |= {name: b"x" * size for name, size in OTHERS.items()}
    for path, data in files.items():
        (tmp_path / f"unit-{path.replace('/', '-')}").write_bytes(data)
    (tmp_path / "key").write_bytes(signing.modulus(key.public_key()))
    (tmp_path / "bundle").write_bytes(firmware.data)
    return tmp_path


def test_an_update_fits_beside_the_version_that_runs_and_into_the_chip_s_heap(
    folder: Path, firmware: bundle.Bundle, capsys: pytest.CaptureFixture[str]
):
    arguments = ("cost", folder, folder / "bundle", firmware.name, BLOCKS)
    report = json.loads(on_vm("on_flash.py", *arguments, heap="224k"))
    with capsys.disabled():
        print(
            f"\nupdate of {report['size']} bytes: at most {report['most_in_use']} bytes of heap "
            f"in use, {report['ms']} ms; {report['blocks_left']} of {BLOCKS} blocks left; one "
            f"signature: {report['verify_bytes']} bytes allocated, "
            f"{report['verify_us'] / 1000:.1f} ms"
        )
    assert report["done"] is True
    assert report["harmed"] == []
    assert report["most_in_use"] < 24_000


def test_two_versions_of_the_largest_size_fit_and_so_do_two_that_are_a_third_larger(
    folder: Path, firmware: bundle.Bundle
):
    others = [path for path in folder.glob("unit-*") if not path.name.startswith("unit-a.bundle")]
    blocks = sum(1 + path.stat().st_size // BLOCK for path in others)
    folder_blocks, spare = 4, 8 + 5  # the root and update/; the updater's, and bundle.next
    room = (BLOCKS - blocks - folder_blocks - spare) * BLOCK // 2
    assert room >= manifest.MAX_TOTAL + manifest.MAX_MANIFEST + 520
    assert len(firmware.data) * 1.3 <= room


def test_a_flash_that_is_too_small_is_reported_and_stays_as_it_was(
    folder: Path, firmware: bundle.Bundle
):
    arguments = ("full", folder, folder / "bundle", firmware.name, BLOCKS)
    report = json.loads(on_vm("on_flash.py", *arguments))
    assert set(report) == {"space", "installed"}
    assert report["space"] >= 5
    assert report["installed"] >= 5
