"""Fencing: whoever wakes up after its term speaks into a dead connection."""

import time
from collections.abc import Iterator

import pytest

from host_bridge.director.lead import Lead
from host_bridge.settings import Broker
from host_bridge.store import Store
from tests.host_bridge.listener import Listener, eventually


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    yield opened
    opened.close()


@pytest.fixture
def ears(mosquitto) -> Iterator[Listener]:
    heard = Listener(mosquitto.port, "t/#")
    yield heard
    heard.close()


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def seconds(self) -> float:
        return time.monotonic() + self.ahead

    def unix_ms(self) -> int:
        return time.time_ns() // 1_000_000


def lead(store: Store, mosquitto, clock: Clock) -> Lead:
    broker = Broker(port=mosquitto.port)
    return Lead("hq", broker, store.leases, willing=lambda: True, clock=clock)


def test_one_that_wakes_up_after_its_term_is_not_heard_although_it_believes_to_lead(
    store, mosquitto, ears
):
    hung, clock = lead(store, mosquitto, Clock()), Clock()
    other = lead(store, mosquitto, clock)
    hung.step()
    eventually(lambda: hung.connected)
    assert hung.publish("t/1", b'"from the first"')
    eventually(lambda: ears.heard)
    other.step()
    clock.ahead = 10
    other.step()
    eventually(lambda: other.connected)
    # The moment after "may I?" was answered with yes, as it is when a process is stopped there.
    hung.election._until = time.monotonic() + 60
    assert hung.leads and other.leads
    eventually(lambda: not hung.connected)
    hung.publish("t/1", b'"from the past"')
    assert other.publish("t/1", b'"from the second"')
    eventually(lambda: len(ears.heard) >= 2)
    time.sleep(1.5)
    assert [body for _, _, body, _ in ears.heard] == ["from the first", "from the second"]
    hung.stop()
    other.stop()


def test_what_is_said_at_the_very_moment_of_the_takeover_is_lost_and_not_sent_later(
    store, mosquitto, ears
):
    hung, clock = lead(store, mosquitto, Clock()), Clock()
    hung.step()
    eventually(lambda: hung.connected)
    voice = hung._voice
    other = lead(store, mosquitto, clock)
    other.step()
    clock.ahead = 10
    other.step()
    eventually(lambda: other.connected and not voice.connected)
    voice.publish("t/1", b'"past the check of the lease"')
    voice._client.publish("t/1", b'"past the check of the connection"', qos=1)
    time.sleep(1.5)
    assert ears.heard == []
    hung.stop()
    other.stop()


def test_a_lost_connection_is_made_again_within_the_term(store, mosquitto, ears):
    one = lead(store, mosquitto, Clock())
    one.start()
    eventually(lambda: one.connected)
    before = one.reconnects
    mosquitto.kill()
    eventually(lambda: not one.connected)
    mosquitto.start()
    eventually(lambda: one.connected, 30)
    assert one.reconnects > before
    one.stop()


def test_without_the_database_a_term_ends_by_itself(store, mosquitto, monkeypatch):
    one = lead(store, mosquitto, Clock())
    one.start()
    eventually(lambda: one.connected)
    store.close()
    monkeypatch.setattr(one.election, "step", lambda: None)
    eventually(lambda: not one.leads, 30)
    assert not one.publish("t/1", b"1")
    one.stop()
