"""A new version on trial, on the real VM: it proves itself, or the other slot is back."""

from pathlib import Path

import pytest

from host_bridge.contract.facts import Boot, Crash
from host_bridge.update import folder
from tests.firmware.desk import until
from tests.firmware.host import Host
from tests.firmware.planted import copy, unit
from tests.services import Mosquitto
from update import slots

FAST = (
    ("update/trial.py", "_GOOD_MS = const(60_000)", "_GOOD_MS = const(1_000)"),
    ("update/trial.py", "_LIMIT_MS = const(600_000)", "_LIMIT_MS = const(8_000)"),
)
"""A trial that can be waited for."""

OLD = ("desk_unit/__init__.py", 'VERSION = "0.1.0"', 'VERSION = "0.0.9"')


class Kept:
    """The simulated chip's NVS, from outside."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "unit" / "soc" / "nvs" / "chequer.slots.i32"

    def get_i32(self, _: str) -> int:
        return int(self._path.read_bytes())

    def set_i32(self, _: str, value: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(b"%d" % value)

    def commit(self) -> None:
        """Nothing to do."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A unit's files: 0.0.9 in slot a, 0.1.0 in slot b."""
    place = tmp_path_factory.mktemp("trial")
    (place / "old").mkdir()
    folder.write(copy(place / "old", *FAST, OLD), place / "built", hardware=[1])
    folder.write(copy(place, *FAST), place / "new", hardware=[1])
    for name in ("bundle", "ready"):
        (place / "built" / f"b.{name}").write_bytes((place / "new" / f"a.{name}").read_bytes())
    return place / "built"


async def test_a_version_that_runs_well_and_is_connected_confirms_itself(
    built: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    slots.State(Kept(tmp_path)).switch(2)
    host = Host(mosquitto.port)
    async with unit(tmp_path, mosquitto.port, built):
        await until(lambda: not slots.State(Kept(tmp_path)).trial)
    host.close()
    assert slots.State(Kept(tmp_path)).current == 2
    assert [fact.firmware for fact in host.facts if isinstance(fact, Boot)] == ["0.1.0"]


async def test_a_version_that_never_connects_is_given_up_after_three_starts_and_says_why(
    built: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    slots.State(Kept(tmp_path)).switch(2)
    host = Host(mosquitto.port)
    async with unit(tmp_path, mosquitto.port, built) as started:
        await started.network(False)
        await until(lambda: slots.State(Kept(tmp_path)).failed, 90)
        await started.network(True)
        await until(lambda: any(isinstance(fact, Crash) for fact in host.facts), 20)
    host.close()
    assert slots.State(Kept(tmp_path)).current == 1
    # A fact may come twice; what is of an earlier boot may come later.
    boots = {fact.boot: fact.firmware for fact in host.facts if isinstance(fact, Boot)}
    assert [boots[number] for number in sorted(boots)] == ["0.1.0", "0.1.0", "0.1.0", "0.0.9"]
    crash = next(fact for fact in host.facts if isinstance(fact, Crash))
    assert "update" in crash.text
