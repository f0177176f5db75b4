"""The firmware's memory over a busy day in virtual time, and what an interrupt may not do."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.update import bundle
from tests.soak.day import CAP, ROOT, UnitFailedError, live

HOURS = int(os.environ.get("CHEQUER_HOURS", "3"))
"""Set it to 24 for the whole day (some minutes)."""

SLACK = 1024
"""Bytes between two collections that see one more or one less object by chance."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build") / "firmware"
    builder = ROOT / "scripts" / "build_firmware.py"
    subprocess.run([sys.executable, builder, folder], check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_quarter_of_the_heap_stays_free_and_nothing_grows_on_a_busy_day(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = live(HOURS, built)
    with capsys.disabled():
        print(f"\nhour    used    free of {CAP:,}")
        for hour in day.hours:
            print(f"{hour.number:4} {hour.used:7,} {hour.free:7,}")
    assert len(day.hours) == HOURS
    assert day.free >= 0.25
    assert day.growth <= SLACK
    assert day.figures["presses"] >= 5 * HOURS
    # Every tap, press and change of the seat came through all the losses: a boot fact besides.
    assert day.figures["stored"] > day.figures["taps"] + day.figures["presses"]
    assert day.figures["connections"] > HOURS


def test_a_leak_shows(tmp_path: Path, built: Path) -> None:
    leaky = tmp_path / "firmware"
    made = bundle.read((built / "a.bundle").read_bytes())
    for path, data in bundle.files(made):
        (leaky / path).parent.mkdir(parents=True, exist_ok=True)
        (leaky / path).write_bytes(data)
    (leaky / "main.py").write_text(
        "from desk_unit.unit import Unit\nkept = []\ntag = Unit._tag\n"
        "def leak(self, digest):\n    kept.append(bytes(digest))\n    tag(self, digest)\n"
        "Unit._tag = leak\nfrom board.start import run\nrun()\n"
    )
    assert live(2, leaky).growth > SLACK / 2


def test_too_little_memory_is_noticed(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.soak.day.CAP", 100 * 1024)
    with pytest.raises(UnitFailedError):
        live(1, built)


def test_the_only_interrupt_handler_is_the_buttons() -> None:
    handlers = {
        ast.unparse(node.args[0])
        for path in (ROOT / "firmware").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"irq", "schedule", "callback"}
    }
    assert handlers == {"self._on_edge"}


def test_the_buttons_interrupt_handler_allocates_nothing() -> None:
    script = ROOT / "tests" / "soak" / "on_vm" / "interrupt.py"
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), script],
        env={**os.environ, "MICROPYPATH": ".frozen"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == ["allocating fails here", "the handler does not"]
