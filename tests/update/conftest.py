"""What the tests of updates share: the firmware's import root, a key, versions of a small unit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.update import bundle, signing

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "firmware"))


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """A signing key."""
    return rsa.generate_private_key(65537, signing.BITS)


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> Path:
    """A folder with versions 1 to 6 of a small unit, compiled and signed, as the VM's scripts
    read it. `PADDING` in the environment makes one of its modules that many bytes larger."""
    folder = tmp_path_factory.mktemp("versions")
    (folder / "key").write_bytes(signing.modulus(key.public_key()))
    names = {}
    padding = "x" * int(os.environ.get("PADDING", "700"))
    for version in range(1, 7):
        sources = folder / f"src{version}"
        (sources / "inner").mkdir(parents=True)
        line = f"VERSION = {version}\n"
        (sources / "app.py").write_text(line)
        (sources / "part_one.py").write_text(f"{line}TEXT = '{padding}'\n")
        (sources / "inner" / "part_two.py").write_text(line)
        signed = bundle.sign(bundle.build(sources, version, hardware=[1]), key)
        (folder / f"{version}.bundle").write_bytes(signed.data)
        names[version] = signed.name
    (folder / "names").write_text(json.dumps(names))
    return folder


def on_vm(script: str, *arguments: object, heap: str = "256m", seconds: int = 170) -> str:
    """The last line that a script prints on the MicroPython VM.

    Lines before it are complaints of the VM about files that were open when power was cut.
    """
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-X", f"heapsize={heap}",
         ROOT / "tests" / "update" / script, *map(str, arguments)],
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:{ROOT}:.frozen"},
        capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]
