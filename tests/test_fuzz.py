"""Hostile bytes at every wire, a smaller dose than `python -m tests.fuzz --count 1000000`."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fuzz.__main__ import fuzz, fuzz_on_vm
from tests.fuzz.chip_wires import CHIP_WIRES
from tests.fuzz.host_wires import HOST_WIRES
from tests.fuzz.rubbish import RubbishError
from tests.fuzz.wires import WIRES

COUNT = 20_000
COUNT_ON_VM = 2_000


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def drivers_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wires put simulated time and a broker that is none in place of the real ones."""
    from drivers import mfrc522, pn532, pn532_link
    from host_bridge.transport import serial_gateway

    monkeypatch.setattr(mfrc522, "sleep_ms", mfrc522.sleep_ms)
    monkeypatch.setattr(mfrc522, "block_ms", mfrc522.block_ms)
    monkeypatch.setattr(pn532, "sleep_ms", pn532.sleep_ms)
    monkeypatch.setattr(pn532, "block_ms", pn532.block_ms)
    monkeypatch.setattr(pn532_link, "sleep_ms", pn532_link.sleep_ms)
    monkeypatch.setattr(serial_gateway, "Upstream", serial_gateway.Upstream)


@pytest.mark.parametrize("kind", [*CHIP_WIRES, *WIRES, *HOST_WIRES], ids=lambda kind: kind.name)
def test_hostile_bytes_crash_nothing_and_leave_no_rubbish(kind: Any) -> None:
    result = fuzz(kind, COUNT, seed=2)
    assert result.crashes == 0
    assert result.taken > COUNT // 100, "the bytes are so wild that nothing is reached"


def test_hostile_bytes_crash_nothing_on_the_interpreter_of_the_chip() -> None:
    results = fuzz_on_vm(COUNT_ON_VM, seed=2)
    assert len(results) == len(CHIP_WIRES) + len(WIRES)
    assert not [result for result in results if result.crashes]


class Fragile:
    """A wire that falls over what ends in a zero, and takes what begins with one for good."""

    name = "fragile"
    good = (b"abc\0", b"abc")

    def feed(self, data: bytes, _draw: object) -> bool:
        if data.endswith(b"\0"):
            raise RubbishError("a zero")
        return data.startswith(b"\0")


def test_what_crashes_is_counted_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz(Fragile, 500, seed=1).crashes > 50
    assert "RubbishError: a zero" in capsys.readouterr().err
