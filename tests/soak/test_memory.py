"""The firmware's memory over a busy day in virtual time, and what an interrupt may not do."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.update.folder import unpack
from tests.soak.day import ALL, HEAD, ROOT, UnitFailedError, draw, live, show

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
def test_three_tenths_of_the_heap_stay_free_and_nothing_grows_on_a_busy_day(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = live(HOURS, built)
    with capsys.disabled():
        print(f"\n{HEAD}")
        for hour in day.hours:
            show(hour)
    draw(day, ROOT / "var" / "soak-heap.svg")
    assert len(day.hours) == HOURS
    assert day.free >= 0.30
    assert day.free_on_chip >= 0.10
    assert day.growth <= SLACK
    level = [hour.used for hour in day.hours[4:]]
    assert not level or max(level) - level[0] <= SLACK / 2
    assert day.hours[-1].names == day.hours[0].names
    assert day.figures["presses"] >= 5 * HOURS
    # Every tap, press and change of the seat came through all the losses: a boot fact besides.
    assert day.figures["stored"] > day.figures["taps"] + day.figures["presses"]
    assert day.figures["connections"] > HOURS


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_unit_with_a_pn532_and_every_presence_sensor_keeps_a_quarter_free(built: Path) -> None:
    day = live(2, built, chips=ALL)
    assert day.free >= 0.25
    assert day.growth <= SLACK
    assert day.figures["stored"] > day.figures["taps"] + day.figures["presses"]


def changed(folder: Path, built: Path, main: str) -> Path:
    """The built firmware's modules with another `main.py`."""
    unpack(built, folder)
    (folder / "main.py").write_text(main + "from board.start import run\nrun()\n")
    return folder


def test_a_leak_and_names_that_stay_show(tmp_path: Path, built: Path) -> None:
    leak = (
        "from desk_unit.facts import Facts\nkept = []\ntag = Facts.tag\n"
        "def leak(self, *what):\n    kept.append(bytes(what[0]))\n    chr(0x100 + len(kept))\n"
        "    return tag(self, *what)\nFacts.tag = leak\n"
    )
    day = live(2, changed(tmp_path / "leaky", built, leak))
    assert day.growth > SLACK / 2
    assert day.hours[1].names - day.hours[0].names == 12


def test_a_hungry_watchdog_ends_the_day(tmp_path: Path, built: Path) -> None:
    deaf = "from desk_unit.watch import Watch\nWatch.look = lambda self: None\n"
    with pytest.raises(UnitFailedError, match="watchdog"):
        live(1, changed(tmp_path / "deaf", built, deaf))


def test_too_little_memory_is_noticed(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.soak.day.CAP", 80 * 1024)
    with pytest.raises(UnitFailedError):
        live(1, built)


def handlers(source: str) -> set[str]:
    """What a module hands to whoever calls it between any two bytecodes."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        found |= {ast.unparse(k.value) for k in node.keywords if k.arg in {"handler", "callback"}}
        if name in {"irq", "schedule", "callback"}:
            found |= {ast.unparse(argument) for argument in node.args[:1]}
    return found


def test_the_only_interrupt_handler_is_the_buttons() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "firmware").rglob("*.py")]
    assert set().union(*map(handlers, sources)) == {"self._on_edge"}


def test_a_handler_is_found_however_it_is_handed_over() -> None:
    source = (
        "pin.irq(a)\npin.irq(handler=b)\nschedule(c, 0)\nmicropython.schedule(d, 0)\n"
        "Timer(0, callback=e)\ntimer.init(period=5, callback=lambda t: f(t))\n"
    )
    assert handlers(source) == {"a", "b", "c", "d", "e", "lambda t: f(t)"}


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
