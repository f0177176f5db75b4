"""`python -m sim demo`: the whole of Chequer on one machine, and its end."""

import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from host_bridge.settings import load
from sim.demo import Demo
from sim.vm import ROOT
from tests.processes import words, works


class Running:
    """The demo as a process; its words are in `log`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "demo"
        self.log = folder / "said.txt"
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sim", "demo", "--folder", str(self.folder)],
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, words: str, seconds: float = 45) -> None:
        """Wait until it says so."""
        deadline = time.monotonic() + seconds
        while words not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            assert self.process.poll() is None or words in self.log.read_text()
            time.sleep(0.1)

    def children(self) -> list[psutil.Process]:
        """Everything it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    """A demo that has just been started."""
    running = Running(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(30)


@pytest.mark.slow
def test_people_arrive_at_units_that_the_page_shows_and_ctrl_c_ends_everything(
    demo: Running,
) -> None:
    demo.wait_for("Look at http://127.0.0.1:")
    demo.wait_for("badges in")
    settings = load(demo.folder / "chequer.toml")
    with urllib.request.urlopen(f"http://127.0.0.1:{settings.web.port}/", timeout=5) as page:
        assert "A1" in page.read().decode()
    children = demo.children()
    assert len(children) >= 3 + 12
    demo.process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert demo.process.wait(20) == 0
    assert time.monotonic() - began < 10
    assert not any(map(works, children))
    said = demo.log.read_text()
    assert "Traceback" not in said
    register = (demo.folder / "tags.csv").read_text()
    for row in register.splitlines()[1:]:
        tag, _, holder = row.split(",")
        assert tag not in said
        assert not holder or holder not in said


@pytest.mark.slow
def test_a_host_program_that_dies_is_reported_and_everything_else_is_ended(
    demo: Running,
) -> None:
    demo.wait_for("Look at http://127.0.0.1:")
    children = demo.children()
    relay = next(child for child in children if "relay" in words(child))
    relay.kill()
    assert demo.process.wait(20) == 1
    assert "relay ended unexpectedly" in demo.log.read_text()
    assert not any(map(works, children))


def test_a_taken_port_is_said_and_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Demo(tmp_path, None, 1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        port = demo._port("page", taken)
    assert port != taken
    assert f"port {taken} is taken: the page is on {port}" in capsys.readouterr().out


def test_the_settings_have_twelve_desks_a_step_and_a_bit_apart(tmp_path: Path) -> None:
    file = Demo(tmp_path, None, 1)._settings_file()
    settings = load(file)
    desks = settings.site.rooms[0].desks
    assert len({(desk.x, desk.y) for desk in desks}) == 12
    assert settings.site.rooms[0].clearance == 1.5
    assert settings.site.badge_in == "badge-then-headset"
    assert tomllib.loads(file.read_text())["store"]["url"].endswith("chequer.db")
