"""Hostile messages beside good ones: nothing is lost, and who floods throttles itself only."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_bridge.relay.throttle import BURST
from host_bridge.store import Store
from tests.host_bridge.host_process import Host
from tests.host_bridge.unit_stream import Units
from tests.services import Mosquitto

HOSTILE = 2 * BURST


@pytest.fixture
def host(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Host]:
    with Host(tmp_path, mosquitto.port) as started:
        yield started


@pytest.mark.slow
def test_a_flood_of_junk_loses_no_good_fact_and_is_on_record(
    host: Host, mosquitto: Mosquitto
) -> None:
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    command = [sys.executable, "-m", "tests.bench.load", str(mosquitto.port), "--hostile"]
    flood = subprocess.Popen(
        [*command, "--facts", str(HOSTILE), "--rate", "10000"], stdout=subprocess.DEVNULL
    )
    with Units(mosquitto.port, count=10, ordinary=80, button=20, rate=300) as units:
        assert flood.wait(60) == 0
        units.wait(60)
        host.wait_for_log("are put off")
    assert host.stop(relay) == 0
    store = Store.open(host.url)
    (line,) = store.ledger()
    stored = {(row.unit, row.boot, row.lane, row.seq) for row in store.facts_after(0, 10_000)}
    reasons = [letter.reason for letter in store.dead_letters(3 * HOSTILE)]
    store.close()
    assert stored == units.rows()
    assert (line.stored, line.difference) == (len(stored), 0)
    assert BURST < line.dead_letters < HOSTILE
    assert any("messages were put off" in reason for reason in reasons)


def test_a_unit_that_floods_with_facts_is_told_of_none_that_was_put_off(
    host: Host, mosquitto: Mosquitto
) -> None:
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    words = ("--facts", str(HOSTILE), "--units", "1")
    command = [sys.executable, "-m", "tests.bench.load", str(mosquitto.port), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    host.wait_for_log("are put off")
    assert host.stop(relay) == 0
    store = Store.open(host.url)
    (line,) = store.ledger()
    (gap,) = store.gaps() or [None]
    stored = [row.seq for row in store.facts_after(0, 2 * HOSTILE)]
    store.close()
    assert line.difference == 0
    assert BURST <= line.stored < HOSTILE
    # What was put off is missing in between and shows, or it was the end of what came.
    assert gap is None or gap.missing == max(stored) - len(stored)
