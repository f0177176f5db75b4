"""The relay on PostgreSQL: the server dies, hangs, and serves several relays at once."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host_bridge.host_process import Host
from tests.host_bridge.unit_stream import Units
from tests.services import Mosquitto, Postgres


@pytest.fixture
def host(tmp_path: Path, mosquitto: Mosquitto, postgres: Postgres) -> Iterator[Host]:
    with Host(tmp_path, mosquitto.port, url=postgres.database()) as started:
        yield started


@pytest.mark.parametrize("point", ["store.in-transaction", "relay.after-commit"])
def test_a_relay_that_dies_around_the_commit_loses_nothing(
    host: Host, mosquitto: Mosquitto, point: str
) -> None:
    with Units(mosquitto.port, count=5, ordinary=30, button=10, rate=300) as units:
        dying = host.start("relay", fault=f"{point}:2")
        assert dying.wait(20) == -signal.SIGKILL
        relay = host.start("relay")
        units.wait(20)
    assert host.stop(relay) == 0
    host.prove(units)


@pytest.mark.slow
def test_a_server_that_is_killed_under_load_delays_facts_and_loses_none(
    host: Host, mosquitto: Mosquitto, postgres: Postgres
) -> None:
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    with Units(mosquitto.port, count=10, ordinary=160, button=40, rate=300, ahead=16) as units:
        for times in range(1, 4):
            units.wait(20, left=2_000 - times * 300)
            postgres.kill()
            host.wait_for_log("facts are kept in hand", times=times)
            # Asked while nothing can be stored: one commit may take all the rest.
            assert units.left() > 0, "the load was over before the kill"
            postgres.start()
        units.hurry()
        units.wait(40)
    assert relay.poll() is None
    assert host.stop(relay) == 0
    host.prove(units)


@pytest.mark.slow
def test_a_server_that_hangs_delays_facts_and_loses_none(
    host: Host, mosquitto: Mosquitto, postgres: Postgres
) -> None:
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    with Units(mosquitto.port, count=10, ordinary=80, button=20, rate=300, ahead=16) as units:
        units.wait(20, left=800)
        with postgres.hung():
            # Longer than a call may take, so that the relay has to try again.
            host.wait_for_log("facts are kept in hand", seconds=20)
            assert units.left() > 0
        units.hurry()
        units.wait(30)
    assert relay.poll() is None
    assert host.stop(relay) == 0
    host.prove(units)


@pytest.mark.slow
def test_relays_that_are_handed_the_same_facts_store_each_once(
    host: Host, mosquitto: Mosquitto
) -> None:
    # Two relays without a shared subscription: the broker delivers everything to both, so they
    # commit the same streams at the same time.
    relays = [host.start("relay", "--name", name) for name in ("one", "two")]
    host.wait_for_log("connected to the broker", times=4)
    with Units(mosquitto.port, count=10, ordinary=80, button=20, rate=500) as units:
        units.wait(30)
        time.sleep(0.5)
    assert [host.stop(relay) for relay in relays] == [0, 0]
    host.prove(units)
    assert "Traceback" not in host.log.read_text()
