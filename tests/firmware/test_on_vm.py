"""Every unit test of the firmware, once more on the interpreter of the chip."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests/firmware/run_on_vm.py"
MODULES = sorted(path.stem for path in (ROOT / "tests/firmware/unit").glob("test_*.py"))


def run_on_vm(module: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run a module's tests on the VM; `path` is searched before the project."""
    # The VM's module path is separated by colons; .frozen holds its asyncio.
    places = [place for place in (path, str(ROOT / "firmware"), str(ROOT), ".frozen") if place]
    return subprocess.run(
        [Path(sys.executable).with_name("micropython"), RUNNER, module],
        env={**os.environ, "MICROPYPATH": ":".join(places)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("module", MODULES)
def test_unit_module_passes_on_micropython(module: str) -> None:
    done = run_on_vm(f"tests.firmware.unit.{module}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def test_x():\n    assert 1 == 2\n", "FAIL test_x"),
        ("async def test_x():\n    assert 1 == 2\n", "FAIL test_x"),
        ("x = 1\n", "0 passed"),
        ("import no_such_module\n", "ImportError"),
    ],
)
def test_runner_reports_what_fails(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "broken.py").write_text(source)
    done = run_on_vm("broken", str(tmp_path))
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
