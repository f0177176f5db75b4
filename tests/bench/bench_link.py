"""The link: a backlog from the VM through a real broker into the real host's database."""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.row import Row
from tests.host_bridge.host_process import Host
from tests.services import Mosquitto

ROOT = Path(__file__).parents[2]
KEY = "000102030405060708090a0b0c0d0e0f"
ROUNDS = 5
FLEET = 500


def rows() -> Iterator[Row]:
    """Time until the unit's journals are empty: sent, committed on disk, acknowledged."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder) / "mosquitto").start()
        try:
            with Host(Path(folder), broker.port) as host:
                relay = host.start("relay")
                host.wait_for_log("connected to the broker", times=2)
                yield from _backlogs(broker.port)
                host.stop(relay)
            yield from _return(broker)
        finally:
            broker.stop()
    yield from _fleet()


def _backlogs(port: int) -> Iterator[Row]:
    took: dict[int, list[float]] = {1: [], 200: []}
    for number in range(ROUNDS):
        for facts, times in took.items():
            end = _on_vm(port, facts, boot=2 * number + (2 if facts == 1 else 1))
            assert end["waiting"] == 0, end
            times.append(end["took_ms"] / 1000)
    yield Row(
        name="backlog of 200 facts, unit to disk, median",
        value=median(took[200]),
        unit="s",
        limit=2,
    )
    yield Row(
        name="backlog of 200 facts, unit to disk, worst of 5",
        value=max(took[200]),
        unit="s",
        limit=2,
    )
    yield Row(name="one press, connection included, median", value=median(took[1]), unit="s")


def _on_vm(port: int, facts: int, boot: int) -> dict[str, Any]:
    config = {
        "site": "s",
        "unit": "a1",
        "site_key": KEY,
        "wifi": {"ssid": "x"},
        "broker": {"host": "127.0.0.1", "port": port},
    }
    words = {"config": config, "facts": facts, "seconds": 20, "boot": boot}
    done = subprocess.run(
        [
            Path(sys.executable).with_name("micropython"),
            *("-X", "heapsize=400k", ROOT / "tests/firmware/vm_link.py"),
        ],
        input=json.dumps(words) + "\n",
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        capture_output=True,
        text=True,
        check=True,
    )
    end: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return end


def _return(broker: Mosquitto) -> Iterator[Row]:
    """How long after the broker's return the unit is subscribed, the jitter left out."""
    from tests.firmware.desk import until
    from tests.firmware.link_bench import Bench

    async def measure() -> list[float]:
        took = []
        async with Bench(broker.port).running() as bench:
            for _ in range(ROUNDS):
                await until(lambda: bench.link.connected)
                await asyncio.to_thread(broker.kill)
                await until(lambda: not bench.link.connected)
                await asyncio.to_thread(broker.start)
                begun = time.monotonic()
                await until(lambda: bench.link.connected)
                took.append(time.monotonic() - begun)
        return took

    took = asyncio.run(measure())
    yield Row(
        name="back online after a broker's restart, worst of 5", value=max(took), unit="s", limit=2
    )


def _fleet() -> Iterator[Row]:
    """500 simulated back-offs after an outage of 30 s: when they connect."""
    from desk_unit.backoff import Backoff

    times = []
    for unit in range(FLEET):
        draw = random.Random(unit)
        backoff = Backoff(lambda draw=draw: draw.getrandbits(16))
        now = 0.0
        while now < 30:
            now += backoff.next() / 1000
        times.append(now - 30)
    times.sort()
    windows = [sum(1 for t in times if start <= t < start + 0.1) for start in times]
    yield Row(
        name="fleet of 500: connects in any 100 ms, most",
        value=max(windows),
        unit="units",
        limit=60,
    )
    yield Row(name="fleet of 500: half are back after", value=median(times), unit="s")
    yield Row(name="fleet of 500: the last is back after", value=times[-1], unit="s", limit=12)
