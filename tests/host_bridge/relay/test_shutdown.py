"""Ended in order under load: what a relay has taken in is committed and acknowledged first."""

import time
from pathlib import Path

import pytest

from host_bridge.store import Store
from tests.host_bridge.host_process import Host
from tests.host_bridge.listener import eventually
from tests.host_bridge.unit_stream import Units
from tests.services import Mosquitto

COUNT, ORDINARY, BUTTON = 20, 300, 60


@pytest.mark.timeout(240)
def test_what_is_stored_when_it_ends_is_acknowledged_and_nothing_is_left_in_flight(
    tmp_path: Path, mosquitto: Mosquitto, store_url: str
) -> None:
    total = COUNT * (ORDINARY + BUTTON)
    units = Units(
        mosquitto.port, count=COUNT, ordinary=ORDINARY, button=BUTTON, rate=600, patience=60
    )
    with Host(tmp_path, mosquitto.port, url=store_url) as host:
        # First, because a broker throws away what nobody has subscribed to yet.
        relay = host.start("relay")
        host.wait_for_log("connected to the broker", times=2)
        time.sleep(0.3)
        with units:
            _end_under_load(host, units, [relay], store_url, total)
            last = host.start("relay")
            units.wait(90)
            assert host.stop(last) == 0
        host.prove(units)


def _end_under_load(host, units, relays, url, total) -> None:
    for end in (1, 2):
        relay = relays.pop() if relays else host.start("relay")
        before = units.left()
        eventually(lambda left=before: units.left() < left - 300, 60)
        assert host.stop(relay) == 0
        store = Store.open(url)
        stored = sum(line.stored for line in store.ledger())
        # Sent once in these 60 s and in order, so whatever is not acknowledged is not stored.
        eventually(lambda n=stored: total - units.left() == n, 10)
        assert 0 < stored < total, f"end {end} was not under load"
        assert [row.in_flight for row in store.workers()] == [0]
        assert all(line.difference == 0 for line in store.ledger())
        store.close()
