"""The whole host for end-to-end tests: relay and page as processes, a site of four desks."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sim.tags import tag_hash
from tests.host_bridge.host_process import Host
from tests.services import Mosquitto, free_port, wait_for_port

SITE = "hq"
KEY = bytes(range(32))
UNITS = {"A1": "a1", "A2": "a2", "B1": "b1", "B2": "b2"}
HEADSET = "04A1B2C3D4E5F6"
STRANGER = "04FFEEDDCCBBAA"


class Road:
    """A running host: where it listens, and what is in its database."""

    def __init__(self, folder: Path, broker: Mosquitto, host: Host, web: int) -> None:
        self.folder = folder
        self.broker = broker
        self.host = host
        self.url = f"http://127.0.0.1:{web}"

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the database file itself, past the host."""
        database = self.folder / "var" / "chequer.db"
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
            return store.execute(query, values).fetchall()

    def wait_for(self, what: Callable[[], object], seconds: float = 30) -> None:
        """Return once it is true."""
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, self.host.log.read_text()[-3000:]
            time.sleep(0.05)


@contextlib.contextmanager
def road(folder: Path, broker: Mosquitto) -> Iterator[Road]:
    """Relay and page on the broker; one headset is registered."""
    web = free_port()
    register = folder / "tags.csv"
    register.write_text(f"tag,kind,holder\n{tag_hash(KEY, HEADSET)},headset,Anna Sorgente\n")
    with Host(folder, broker.port, SITE) as host:
        with host.config.open("a") as config:
            config.write(_site(web))
        assert host.start("registry", "import", str(register)).wait(30) == 0, host.log.read_text()
        host.start("relay")
        host.start("serve")
        wait_for_port(web, 30)
        yield Road(folder, broker, host, web)


@contextlib.contextmanager
def road_of_its_own() -> Iterator[Road]:
    """The same with a broker and a folder that go when it is over."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Mosquitto(folder / "mosquitto").start()
        try:
            with road(folder, broker) as where:
                yield where
        finally:
            broker.stop()


def _site(web: int) -> str:
    lines = [f"[web]\nport = {web}", "[[site.rooms]]", 'name = "Sala Nord"', "clearance = 1.0"]
    for number, (desk, unit) in enumerate(UNITS.items()):
        # Far apart: no desk is blocked, whatever the shift.
        lines += ["[[site.rooms.desks]]", f'name = "{desk}"', f'unit = "{unit}"']
        lines += [f"x = {3.0 * (number % 2)}", f"y = {3.0 * (number // 2)}"]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def simulated_unit(where: Road, unit: str) -> Iterator[int]:
    """`python -m sim unit` as a user starts it; gives its control port."""
    command = [sys.executable, "-m", "sim", "unit", "--unit", unit, "--site", SITE]
    command += ["--broker", f"127.0.0.1:{where.broker.port}", "--key", KEY.hex()]
    with (where.folder / "unit.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--folder", str(where.folder / unit)], stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert "control port" in line, (where.folder / "unit.log").read_text()
        yield int(line.rsplit(":", 1)[1])
    finally:
        process.terminate()
        assert process.wait(15) == 0


def command(**what: object) -> str:
    return json.dumps(what)
