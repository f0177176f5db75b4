"""Real services for tests: each on a free port of 127.0.0.1, ended through its own process."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from sim.ports import first_free
from tests.processes import works

_ports = itertools.count()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now, nor gets by chance before the caller.

    Each worker of a run has a thousand of its own, below those that the system hands out (from
    32,768 on): one of those may be another test's a moment later, and units of two tests with the
    same name would throw each other out of one broker, again and again.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return first_free(10_000 + worker % 10 * 1_000 + next(_ports) % 1_000 for _ in range(1_000))


def program(name: str) -> str:
    """The path of an installed program; a missing one fails in CI and skips elsewhere."""
    # Debian keeps the server's programs of each PostgreSQL apart; the newest first.
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *map(str, versions)]
    found = shutil.which(name, path=":".join(folders))
    if found is None:
        message = f"{name} is not installed (scripts/services installs it)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdecimal() else 0


def wait_for_port(port: int, seconds: float = 30.0) -> None:
    """Return once something accepts connections on 127.0.0.1:port."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on 127.0.0.1:{port} after {seconds} s")


class Mosquitto:
    """A mosquitto broker of our own: start, stop, kill, start again on the same port and state.

    With `persistence` it writes its state on every change (`autosave_on_changes`), so that a kill
    loses only what was in the process's hands.
    """

    def __init__(self, folder: Path, *, persistence: bool = False, extra: str = "") -> None:
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "mosquitto.log"
        self._conf = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            "set_tcp_nodelay true",
            "user root" if os.geteuid() == 0 else "",
        ]
        if persistence:
            lines += [
                "persistence true",
                f"persistence_location {folder}/",
                "autosave_on_changes true",
                "autosave_interval 1",
            ]
        self._conf.write_text("\n".join([*lines, extra, ""]))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Mosquitto":
        """Start and wait until it accepts connections."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [program("mosquitto"), "-c", str(self._conf)], stdout=log, stderr=log
            )
        wait_for_port(self.port)
        return self

    def stop(self) -> None:
        """End it in order (SIGTERM). Safe to call twice."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would."""
        self._end(signal.SIGKILL)

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Meanwhile it does nothing, while its sockets stay open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(10)
        self.process = None


class Postgres:
    """A PostgreSQL server of our own, on a unix socket only, with fsync on.

    It refuses to run as root, so root hands it to the user `postgres`. Its folder lies directly in
    the folder for temporary files: the path of a unix socket has 107 bytes at most.
    """

    def __init__(self) -> None:
        initdb = program("initdb")
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="chequer-pg-"))
        self.own(self.folder)
        self._data = self.folder / "data"
        command = [initdb, "-D", str(self._data), "-U", "chequer", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*command, "--locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as_user(),
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._used: list[str] = []
        self._free: list[str] = []

    def own(self, folder: Path) -> None:
        """Let the server write into a folder."""
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": self._user, "extra_groups": []}

    def start(self) -> "Postgres":
        """Start and wait until it accepts connections; also right after a kill."""
        deadline = time.monotonic() + 30
        while True:
            with (self.folder / "server.log").open("ab") as log:
                self.process = subprocess.Popen(
                    [program("postgres"), "-D", str(self._data), "-k", str(self.folder),
                     "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700",
                     # Checkpoints would only slow down the tests; what is committed is safe.
                     "-c", "checkpoint_timeout=1h", "-c", "max_wal_size=8GB"],
                    stdout=log, stderr=log, cwd="/", **self._as_user(),
                )  # fmt: skip
            while self.process.poll() is None:
                with contextlib.suppress(psycopg.OperationalError):
                    psycopg.connect(self._address("postgres"), connect_timeout=2).close()
                    return self
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)
            # The children of one that was killed may still hold its shared memory for a moment.
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def ensure(self) -> None:
        """Start it again if a test that failed has left it dead: the next ones are not to blame."""
        if self.process is None or self.process.poll() is not None:
            self.start()

    def log(self) -> str:
        """The end of what the server said."""
        return (self.folder / "server.log").read_text()[-3000:]

    def stop(self) -> None:
        """End it at once but in order (SIGINT). Safe to call twice."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the postmaster, as a crash would; its children notice and end."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(how)
        self.process.wait(20)
        deadline = time.monotonic() + 10
        while any(map(works, children)) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.process = None

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Meanwhile nothing of the server does anything, while its sockets stay open."""
        assert self.process is not None
        postmaster = psutil.Process(self.process.pid)
        postmaster.suspend()
        stopped = [postmaster, *postmaster.children(recursive=True)]
        for child in stopped[1:]:
            child.suspend()
        try:
            yield
        finally:
            for process in reversed(stopped):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def database(self) -> str:
        """The URL of an empty database of the caller's own."""
        if self._free:
            name = self._free.pop()
        else:
            name = f"test_{next(self._numbers)}"
            with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        self._used.append(name)
        return f"postgresql+psycopg://chequer@/{name}?host={self.folder}"

    def recycle(self) -> None:
        """Empty the databases that were in use: making and removing them takes far longer."""
        self.ensure()
        while self._used:
            name = self._used.pop()
            with psycopg.connect(self._address(name), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                connection.execute("SET synchronous_commit = off; DROP SCHEMA public CASCADE")
                connection.execute(f"CREATE SCHEMA public; ALTER DATABASE {name} RESET ALL")
            self._free.append(name)

    def remove(self) -> None:
        """End it without writing anything any more (SIGQUIT), and remove its folder."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def _address(self, name: str) -> str:
        return f"host={self.folder} user=chequer dbname={name}"
