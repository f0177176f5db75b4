"""Where a fault happens: a broker, a database, relays as processes, and units that send."""

import itertools
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Literal

import psutil
import psycopg

from host_bridge.store import Store
from tests.faults.clock import Clock
from tests.faults.disk import SmallDisk
from tests.host_bridge.host_process import Host
from tests.host_bridge.unit_stream import Units
from tests.services import Mosquitto, Postgres

Kind = Literal["sqlite", "postgresql"]

SITE = "s"
UNITS = 50
PATIENCE_S = 3.0
"""After so long a unit sends again; the firmware waits for 10 s."""

DISK_MB = 48
_numbers = itertools.count(1)


class Ground:
    """Everything of one cell. Ends what it started."""

    def __init__(self, folder: Path, workers: int, server: Postgres | None) -> None:
        """Prepare.

        Args:
            folder: for the files of broker and relays.
            workers: how many relays.
            server: where the database is; without one it is SQLite.
        """
        self.folder = folder
        self.kind: Kind = "postgresql" if server else "sqlite"
        self.server = server
        self.broker = Mosquitto(folder / "mosquitto")
        self.clock = Clock(folder / "clock")
        self.names = [f"relay-{number}" for number in range(1, workers + 1)]
        self.relays: dict[str, subprocess.Popen[bytes]] = {}
        self._since_ms: dict[str, int] = {}
        self.disk: SmallDisk | None = None
        self.url = ""
        self._space = ""

    def __enter__(self) -> "Ground":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self.url:
            self.host.__exit__(kind, error, None)
        self.broker.stop()
        if self.server is not None:
            if self._space:
                self._drop()
            self.server.recycle()
        if self.disk is not None:
            self.disk.remove()

    def prepare(self, *, small_disk: bool = False) -> None:
        """Start the broker and make the database, perhaps on a disk that can be filled."""
        if small_disk:
            self.disk = SmallDisk(Path(tempfile.mkdtemp(prefix="chequer-disk-")), DISK_MB)
        if self.server is None:
            self.url = f"sqlite:///{(self.disk.folder if self.disk else self.folder)}/chequer.db"
        else:
            self.url = self._on_small_disk(self.server) if self.disk else self.server.database()
        self.host = Host(self.folder, self.broker.port, SITE, url=self.url)
        Store.open(self.url).close()
        self.broker.start()

    def start(self, name: str, *, fault: str = "", hangs: bool = False) -> None:
        """Start a relay, or start it again; perhaps one that dies or hangs at a fault point."""
        environment = self.clock.environment() | ({"CHEQUER_TEST_HANG": "1"} if hangs else {})
        self._since_ms[name] = time.time_ns() // 1_000_000
        self.relays[name] = self.host.start(
            "relay", "--name", name, fault=fault, environment=environment
        )

    def wait_for_relays(self, seconds: float = 30) -> None:
        """Return once every relay has said something about itself since it was started."""
        store = Store.open(self.url)
        deadline = time.monotonic() + seconds
        while not all(
            any(row.worker == name and row.updated_ms >= since for row in store.workers())
            for name, since in self._since_ms.items()
        ):
            assert time.monotonic() < deadline, self.host.log.read_text()[-2000:]
            time.sleep(0.05)
        store.close()

    def kill(self, name: str) -> None:
        """End a relay at once."""
        self.relays[name].kill()
        self.relays[name].wait(10)

    def hang(self, name: str, seconds: float) -> None:
        """Let a relay stand still, with its connections open."""
        relay = self.relays[name]
        relay.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        relay.send_signal(signal.SIGCONT)

    def wait_for_hang(self, name: str, seconds: float = 60) -> None:
        """Return once a relay has stopped by itself."""
        deadline = time.monotonic() + seconds
        process = psutil.Process(self.relays[name].pid)
        while process.status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < deadline, f"{name} never came to its fault point"
            time.sleep(0.02)

    def end(self) -> list[str]:
        """End the relays in order; what is amiss with that."""
        # One that was started just now would not hear that it is to end.
        self.wait_for_relays()
        codes = {name: self.host.stop(relay) for name, relay in self.relays.items()}
        amiss = [f"{name} ended with {code}" for name, code in codes.items() if code]
        if "Traceback" in self.host.log.read_text():
            amiss.append(f"an error that nobody caught is in {self.host.log}")
        return amiss

    def connect(self, name: str = "") -> "psycopg.Connection[tuple[object, ...]]":
        """A connection to the server, to the cell's database unless another is named."""
        assert self.server is not None
        database = name or self.url.partition("@/")[2].partition("?")[0]
        return psycopg.connect(self.server._address(database), autocommit=True)

    def _on_small_disk(self, server: Postgres) -> str:
        assert self.disk is not None
        self._space = f"small_{next(_numbers)}"
        place = self.disk.folder / "tables"
        place.mkdir()
        server.own(place)
        with self.connect("postgres") as connection:
            name = self._space
            connection.execute(f"CREATE TABLESPACE {name} LOCATION '{place}'".encode())
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 TABLESPACE {name}".encode()
            )
        return f"postgresql+psycopg://chequer@/{self._space}?host={server.folder}"

    def _drop(self) -> None:
        with self.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self._space} WITH (FORCE)".encode())
            connection.execute(f"DROP TABLESPACE IF EXISTS {self._space}".encode())


class Watch(threading.Thread):
    """Looks at the units all the time: for how long was nothing acknowledged although it waited?"""

    def __init__(self, units: Units) -> None:
        super().__init__(daemon=True)
        self._units = units
        self._over = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        left, since = self._units.left(), 0.0
        while not self._over.wait(0.02):
            now, new = time.monotonic(), self._units.left()
            if new != left or not since:
                left, since = new, now
            self.longest = max(self.longest, now - since)

    def stop(self) -> float:
        """The longest standstill, in seconds."""
        self._over.set()
        self.join()
        return self.longest
