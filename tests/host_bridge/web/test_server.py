import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.host_bridge.listener import eventually
from tests.services import Mosquitto, free_port, wait_for_port

CONFIG = """
[[site.rooms]]
name = "Room"
desks = [{ name = "A1", unit = "a1", x = 0, y = 0 }]
[broker]
port = %d
[store]
url = "sqlite:///%s/chequer.db"
[web]
port = %d
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_a_signal_and_ends_with_zero(
    tmp_path: Path, mosquitto: Mosquitto, how: signal.Signals
):
    port = free_port()
    file = tmp_path / "chequer.toml"
    file.write_text(CONFIG % (mosquitto.port, tmp_path, port))
    command = [sys.executable, "-c", "from host_bridge.cli import main; main()", "serve"]
    process = subprocess.Popen([*command, "--config", str(file)])
    try:
        wait_for_port(port, 20)
        eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200)
        assert "A1" in httpx.get(f"http://127.0.0.1:{port}/").text
        process.send_signal(how)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
