"""Nothing is lost and nothing is stored twice, whatever dies."""

import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_bridge.cli import IN_HAND
from host_bridge.faultpoint import POINTS
from host_bridge.relay import Relay
from host_bridge.relay.inbox import OVERHEAD, Inbox
from host_bridge.settings import Broker, Settings
from host_bridge.store import Store
from tests.host_bridge.host_process import Host
from tests.host_bridge.listener import eventually
from tests.host_bridge.store.batches import refuse
from tests.host_bridge.unit_stream import Units
from tests.services import Mosquitto, free_port, wait_for_port


@pytest.fixture
def host(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Host]:
    with Host(tmp_path, mosquitto.port) as started:
        yield started


@pytest.fixture
def either_host(tmp_path: Path, mosquitto: Mosquitto, store_url: str) -> Iterator[Host]:
    """A host on each of the databases in turn."""
    with Host(tmp_path, mosquitto.port, url=store_url) as started:
        yield started


def test_every_fact_is_stored_once_and_acknowledged(
    either_host: Host, mosquitto: Mosquitto
) -> None:
    host = either_host
    relay = host.start("relay")
    with Units(mosquitto.port) as units:
        units.wait(20)
    assert host.stop(relay) == 0
    host.prove(units)
    store = Store.open(host.url)
    (worker,) = store.workers()
    assert (worker.in_flight, worker.queue_depth, worker.reconnects) == (0, 0, 0)
    assert worker.last_commit_ms is not None
    store.close()


def test_a_press_is_acknowledged_at_once(host: Host, mosquitto: Mosquitto) -> None:
    host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    with Units(mosquitto.port, count=1, ordinary=0, button=1) as units:
        began = time.monotonic()
        units.wait(5)
        assert time.monotonic() - began < 0.9


@pytest.mark.slow
def test_a_relay_that_is_killed_again_and_again_loses_nothing(
    either_host: Host, mosquitto: Mosquitto
) -> None:
    host = either_host
    chance = random.Random(1)
    kills = 12 if host.url.startswith("sqlite") else 4
    with Units(mosquitto.port, count=20, ordinary=200, button=50, rate=400, ahead=4) as units:
        for _ in range(kills):
            before = units.left()
            relay = host.start("relay")
            deadline = time.monotonic() + 10
            while units.left() == before and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.4))
            relay.kill()
            assert relay.wait(10) == -signal.SIGKILL
        assert units.left() > 0, "the load was over before the last kill"
        relay = host.start("relay")
        units.hurry()
        units.wait(30)
    assert host.stop(relay) == 0
    host.prove(units)


@pytest.mark.parametrize("point", POINTS)
def test_a_relay_that_dies_at_a_fault_point_loses_nothing(
    host: Host, mosquitto: Mosquitto, point: str
) -> None:
    with Units(mosquitto.port, count=5, ordinary=30, button=10, rate=300) as units:
        dying = host.start("relay", fault=f"{point}:2")
        assert dying.wait(20) == -signal.SIGKILL
        relay = host.start("relay")
        units.wait(20)
    assert host.stop(relay) == 0
    host.prove(units)


@pytest.mark.parametrize("point", ["relay.before-commit", "store.in-transaction"])
def test_the_broker_keeps_what_is_not_committed(
    host: Host, mosquitto: Mosquitto, point: str
) -> None:
    # Units that never send again: only the broker can deliver what died with the relay.
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    assert host.stop(relay) == 0
    with Units(mosquitto.port, count=5, rate=300, patience=3600) as units:
        dying = host.start("relay", fault=point)
        assert dying.wait(20) == -signal.SIGKILL
        relay = host.start("relay")
        host.wait_for_facts(len(units.rows()))
    assert host.stop(relay) == 0
    # Acknowledgements to the units were gathered by the relay that died: not looked at here.
    host.prove(units, acknowledged=False)


def test_an_overflowing_inbox_has_the_broker_deliver_again(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    settings = Settings(broker=Broker(port=mosquitto.port))
    relay = Relay(settings, store, inbox=Inbox(limit=20 * OVERHEAD))
    caplog.set_level("INFO")
    thread = threading.Thread(target=relay.run)
    thread.start()
    while caplog.text.count("connected to the broker") < 2:
        time.sleep(0.02)
    with Units(mosquitto.port, count=20, ordinary=20, button=0, rate=1e6, patience=3600) as units:
        units.wait(30)
    relay.stop()
    thread.join(10)
    assert "the inbox of the ordinary lane was full" in caplog.text
    assert len(store.facts_after(0, 10_000)) == len(units.rows())
    store.close()


@pytest.mark.slow
def test_a_broker_that_is_killed_under_load_loses_nothing(host: Host, mosquitto: Mosquitto) -> None:
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    with Units(mosquitto.port, count=10, ordinary=240, button=60, rate=300, ahead=8) as units:
        for _ in range(4):
            time.sleep(0.7)
            mosquitto.kill()
            time.sleep(0.2)
            mosquitto.start()
            before = units.left()
            deadline = time.monotonic() + 10
            while units.left() == before and time.monotonic() < deadline:
                time.sleep(0.05)
        assert units.left() > 0, "the load was over before the last kill"
        units.hurry()
        units.wait(40)
    assert relay.poll() is None
    assert host.stop(relay) == 0
    host.prove(units)


@pytest.mark.slow
def test_a_locked_database_delays_facts_and_loses_none(host: Host, mosquitto: Mosquitto) -> None:
    Store.open(host.url).close()
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    intruder = sqlite3.connect(host.url.removeprefix("sqlite:///"), isolation_level=None)
    with Units(mosquitto.port, count=10, ordinary=80, button=20, rate=300, ahead=16) as units:
        units.wait(10, left=900)
        intruder.execute("BEGIN IMMEDIATE")
        # Longer than SQLite waits for a lock, so that the relay has to try again.
        host.wait_for_log("facts are kept in hand", seconds=15)
        assert units.left() > 0
        intruder.execute("ROLLBACK")
        intruder.close()
        units.hurry()
        units.wait(20)
    assert host.stop(relay) == 0
    host.prove(units)


@pytest.mark.slow
def test_a_relay_stopped_while_the_database_is_locked_says_what_it_had_in_hand(
    host: Host, mosquitto: Mosquitto
) -> None:
    Store.open(host.url).close()
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    intruder = sqlite3.connect(host.url.removeprefix("sqlite:///"), isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    with Units(mosquitto.port, count=2) as units:
        time.sleep(0.5)
        assert host.stop(relay) == IN_HAND
        assert "facts in hand; nothing is lost" in host.log.read_text()
        intruder.execute("ROLLBACK")
        intruder.close()
        relay = host.start("relay")
        units.wait(20)
    assert host.stop(relay) == 0
    host.prove(units)


def test_a_relay_waits_for_a_broker_that_starts_later(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    with Host(tmp_path, broker.port) as host:
        relay = host.start("relay")
        host.wait_for_log("no broker answers")
        broker.start()
        with Units(broker.port, count=2) as units:
            units.wait(20)
        assert host.stop(relay) == 0
        host.prove(units)
        broker.stop()


def test_what_nobody_understands_is_kept_and_the_unit_is_told(
    host: Host, mosquitto: Mosquitto
) -> None:
    from paho.mqtt import publish

    host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    with Units(mosquitto.port, count=1, ordinary=3, button=0) as units:
        dance = b'{"type":"dance","unit":"u0","boot":9,"seq":1,"up":1}'
        publish.multiple(
            [
                ("chequer/v1/s/u0/fact", dance, 1, False),
                ("chequer/v1/s/u0/fact", b"\xff", 1, False),
            ],
            hostname="127.0.0.1",
            port=mosquitto.port,
        )
        units.wait(10)
        host.wait_for_log("dead letters")
    store = Store.open(host.url)
    eventually(lambda: {each.payload for each in store.dead_letters()} == {dance, b"\xff"})
    (line,) = store.ledger()
    assert (line.dead_letters, line.difference) == (2, 0)
    store.close()


def test_a_fact_that_the_database_refuses_holds_up_no_other(
    either_host: Host, mosquitto: Mosquitto
) -> None:
    # One such fact was once tried again for ever, and with it everything that came behind it.
    from paho.mqtt import publish

    host = either_host
    store = Store.open(host.url)
    refuse(store, "facts", "type = 'crash'")
    relay = host.start("relay")
    host.wait_for_log("connected to the broker", times=2)
    with Units(mosquitto.port, count=5, rate=500) as units:
        poison = b'{"type":"crash","unit":"u0","boot":9,"seq":1,"up":1,"text":"E at main.py:1"}'
        publish.single("chequer/v1/s/u0/fact", poison, 1, port=mosquitto.port)
        host.wait_for_log("dead letters")
        units.wait(20)
    assert host.stop(relay) == 0
    assert len(store.facts_after(0, 10_000)) == len(units.rows())
    (letter,) = store.dead_letters()
    assert letter.reason.startswith("the database refused it: ")
    (line,) = store.ledger()
    assert (line.dead_letters, line.difference) == (1, 0)
    store.close()


def test_the_same_road_works_over_the_embedded_broker(tmp_path: Path) -> None:
    port = free_port()
    with Host(tmp_path, port) as host:
        broker = host.start("broker")
        wait_for_port(port)
        dying = host.start("relay", fault="relay.after-commit:5")
        with Units(port, count=10, rate=300) as units:
            assert dying.wait(20) == -signal.SIGKILL
            relay = host.start("relay")
            units.wait(30)
        assert host.stop(relay) == 0
        assert host.stop(broker) == 0
        host.prove(units)
