"""An update of the project's own firmware on the MicroPython VM, with the chip's small heap."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.update import bundle, signing
from tests.update.conftest import ROOT, on_vm


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> bundle.Bundle:
    """The firmware as it is in the sources, as version 1."""
    return bundle.sign(bundle.build(ROOT / "firmware", 1, hardware=[1]), key)


@pytest.fixture
def folder(tmp_path: Path, key: rsa.RSAPrivateKey, firmware: bundle.Bundle) -> Path:
    """A folder with the key and the bundle."""
    (tmp_path / "key").write_bytes(signing.modulus(key.public_key()))
    (tmp_path / "bundle").write_bytes(firmware.data)
    return tmp_path


def test_an_update_fits_into_the_chip_s_heap(
    folder: Path, firmware: bundle.Bundle, capsys: pytest.CaptureFixture[str]
):
    arguments = ("cost", folder, folder / "bundle", firmware.name)
    report = json.loads(on_vm("on_flash.py", *arguments, heap="224k"))
    with capsys.disabled():
        print(
            f"\nupdate of {report['size']} bytes: at most {report['most_in_use']} bytes of heap "
            f"in use, {report['ms']} ms; one signature: {report['verify_bytes']} bytes allocated, "
            f"{report['verify_us'] / 1000:.1f} ms"
        )
    assert report["done"] is True
    assert report["most_in_use"] < 24_000


def test_a_flash_that_is_too_small_is_reported_and_stays_as_it_was(
    folder: Path, firmware: bundle.Bundle
):
    report = json.loads(on_vm("on_flash.py", "full", folder, folder / "bundle", firmware.name))
    assert set(report) == {"space", "installed"}
    assert report["space"] >= 5
    assert report["installed"] >= 5
