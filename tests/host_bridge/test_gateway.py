"""Several serial ports in one process: each is pulled out and plugged in by itself."""

import json
import os
import select
import time
from pathlib import Path

import pytest

from host_bridge.transport.serial_frames import Carried, Deframer, Frame, Kind, encode, pack
from tests.host_bridge.host_process import Host
from tests.host_bridge.listener import Listener, eventually
from tests.pseudo_terminal import Cable
from tests.services import Mosquitto


class Unit:
    """As much of a unit as is needed to be relayed: hello, one message at a time."""

    def __init__(self, name: str, device: Path) -> None:
        self.name, self.device = name, device
        self.plug()

    def plug(self) -> None:
        """Into the same socket of the hub: the device has the same name again."""
        self._cable = Cable()
        self._file = os.open(self._cable.unit, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._deframer = Deframer()
        self._number = 0
        self.device.unlink(missing_ok=True)
        self.device.symlink_to(self._cable.host)

    def pull(self) -> None:
        self.device.unlink()
        os.close(self._file)
        self._cable.close()

    def greet(self) -> None:
        hello = json.dumps({"site": "s", "unit": self.name}).encode()
        self._until(Kind.WELCOME, encode(Kind.HELLO, 7, hello))

    def say(self, seq: int) -> None:
        """A fact, sent again until the broker has it."""
        fact = {"unit": self.name, "boot": 1, "seq": seq, "up": seq, "type": "seat"}
        body = pack(Carried("fact", json.dumps({**fact, "occupied": True}).encode()))
        self._number = self._number % 255 + 1
        self._until(Kind.TAKEN, encode(Kind.MESSAGE, self._number, body))

    def _until(self, kind: Kind, data: bytes) -> Frame:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            os.write(self._file, data)
            if select.select([self._file], [], [], 0.5)[0]:
                for frame in self._deframer.feed(os.read(self._file, 4096)):
                    if frame.kind == kind:
                        return frame
        raise TimeoutError(f"{self.name}: no {kind.name}")


@pytest.fixture
def heard(mosquitto: Mosquitto):
    ears = Listener(mosquitto.port, "chequer/v1/s/+/fact")
    yield ears
    ears.close()


def test_units_come_and_go_and_the_others_go_on(tmp_path: Path, mosquitto: Mosquitto, heard):
    units = [Unit(f"u{number}", tmp_path / f"port{number}") for number in (1, 2, 3)]
    units[2].pull()  # not there at the start
    with Host(tmp_path, mosquitto.port) as host:
        ports = [word for unit in units for word in ("--port", str(unit.device))]
        process = host.start("gateway", *ports)
        for unit in units[:2]:
            unit.greet()
            unit.say(1)
        units[0].pull()
        host.wait_for_log("port is gone")
        units[1].say(2)
        units[0].plug()
        units[2].plug()
        for unit in (units[0], units[2]):
            unit.greet()
            unit.say(3)
        units[1].say(4)
        eventually(lambda: len(facts(heard)) >= 6)
        assert facts(heard) == {("u1", 1), ("u1", 3), ("u2", 1), ("u2", 2), ("u2", 4), ("u3", 3)}
        # One line for each trouble, not one a second.
        assert host.log.read_text().count("can't be opened") <= 4
        assert host.stop(process) == 0
    for unit in units:
        unit.pull()


def facts(heard: Listener) -> set[tuple[str, int]]:
    return {(body["unit"], body["seq"]) for _, _, body, _ in heard.heard}


def test_the_same_port_twice_is_refused(tmp_path: Path, mosquitto: Mosquitto):
    with Host(tmp_path, mosquitto.port) as host:
        assert host.start("gateway", "--port", "/dev/x", "--port", "/dev/x").wait(30) == 2
        assert "the same serial port twice" in host.log.read_text()
