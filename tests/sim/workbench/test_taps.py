"""Taps on the wires: every byte when asked for, nothing at all when not."""

import asyncio
from pathlib import Path
from typing import Any

from sim.unit import SimUnit
from sim.vm import ROOT
from tests.services import Mosquitto
from tests.sim.bench import KEY, SITE, UNIT, go, say, until


def test_without_anybody_who_asks_the_taps_are_not_even_loaded(tmp_path: Path) -> None:
    code = "import sys\nprint('taps' in sys.modules)\nprint(type(__import__('circuit').spi[27]))"
    assert say(tmp_path, code) == ["False", "<class 'MFRC522Model'>"]


def test_whoever_asks_hears_spi_uart_i2c_and_mqtt(tmp_path: Path, mosquitto: Mosquitto) -> None:
    heard: dict[str, list[Any]] = {"spi": [], "uart": [], "i2c": []}
    packets: list[tuple[int, str, bytes]] = []

    async def work() -> None:
        unit = SimUnit(
            folder=tmp_path / "unit",
            broker=("127.0.0.1", mosquitto.port),
            site=SITE,
            unit=UNIT,
            site_key=KEY,
            firmware=ROOT / "firmware",
            wires=lambda bus, value: heard[bus].append(value),
            mqtt=lambda *packet: packets.append(packet),
        )
        try:
            await unit.start()
            await until(lambda: all(heard.values()))
            await until(lambda: any(data[:1] == b"\x10" for _, way, data in packets if way == "up"))
            await until(
                lambda: any(data[:1] == b"\x20" for _, way, data in packets if way == "down")
            )
            await asyncio.sleep(0.3)
        finally:
            await unit.stop()

    go(work)
    assert ["1252", "0000"] in heard["spi"]
    assert any(bytes.fromhex(data).startswith(b"\xf4\xf3\xf2\xf1") for _, data in heard["uart"])
