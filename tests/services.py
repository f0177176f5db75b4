"""Real services for tests: each on a free port of 127.0.0.1, ended through its own process."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """The path of an installed program; a missing one fails in CI and skips elsewhere."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        message = f"{name} is not installed (scripts/services installs it)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def wait_for_port(port: int, seconds: float = 10.0) -> None:
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

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(10)
        self.process = None
