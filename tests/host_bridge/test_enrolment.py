"""Enrolment with a real broker and a real store; the desk is played by the test."""

import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
import sqlalchemy as sa

from host_bridge.enrolment import EnrolmentError, Wanted, enrol
from host_bridge.settings import Broker
from host_bridge.store import RegistryError, Store
from host_bridge.store.tables import metadata
from tests.host_bridge import site
from tests.host_bridge.listener import Listener, eventually
from tests.services import Mosquitto, free_port

TAG = "5d" * 16
WANTED = Wanted(site.NAME, "u1", "headset", "Ada Lovelace")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store.open(store_url)
    site.register(opened)
    yield opened
    opened.close()


@pytest.fixture
def desk(mosquitto: Mosquitto) -> Iterator[Listener]:
    ears = Listener(mosquitto.port, "chequer/v1/hq/+/down/+")
    yield ears
    ears.close()


def presenting(
    store: Store, tag: str, *, unit: str = "u1", marked: bool = True
) -> Callable[[], None]:
    """Somebody holds a tag to a desk when it has been asked."""
    fact = msgspec.structs.replace(site.tap(unit, 1, tag), enrol=marked)
    return lambda: threading.Timer(0.2, site.commit, (store, fact)).start()


def ask(mosquitto: Mosquitto, store: Store, ready: Callable[[], None], seconds: int = 5) -> str:
    broker = Broker(port=mosquitto.port)
    return enrol(broker, store, WANTED, ready=ready, seconds=seconds)


def test_the_next_tag_is_entered_and_the_desk_is_told(mosquitto, store, desk):
    assert ask(mosquitto, store, presenting(store, TAG)) == "enrolled"
    record = store.registry.record(site.NAME, TAG)
    assert (record.kind, record.status, record.person is not None) == ("headset", "issued", True)
    (verdict,) = eventually(lambda: desk.bodies("u1/down/verdict"))
    assert (verdict["boot"], verdict["seq"], verdict["verdict"]) == (1, 1, "enrolled")
    assert desk.bodies("u1/down/enrol") == [{"seconds": 5}]


def test_a_tag_of_somebody_else_stays_theirs(mosquitto, store, desk):
    before = store.registry.record(site.NAME, site.HEADSET_OF_BEA)
    assert ask(mosquitto, store, presenting(store, site.HEADSET_OF_BEA)) == "already-known"
    assert store.registry.record(site.NAME, site.HEADSET_OF_BEA) == before
    assert eventually(lambda: desk.bodies("u1/down/verdict"))[0]["verdict"] == "already-known"


def test_a_tag_that_was_given_back_may_be_given_out_again(mosquitto, store, desk):
    store.registry.issue(site.NAME, TAG, "headset", site.BEA, "returned")
    assert ask(mosquitto, store, presenting(store, TAG)) == "enrolled"
    assert store.registry.record(site.NAME, TAG).status == "issued"


@pytest.mark.parametrize("other", [{"unit": "u2"}, {"marked": False}])
def test_another_desks_tag_and_a_badge_in_are_not_entered(mosquitto, store, desk, other):
    assert ask(mosquitto, store, presenting(store, TAG, **other), seconds=0) == "nobody-came"
    assert store.registry.record(site.NAME, TAG) is None


def test_no_name_leaves_the_process_and_nobody_is_written_down_for_a_tag_that_never_came(
    mosquitto, store, desk
):
    assert ask(mosquitto, store, lambda: None, seconds=0) == "nobody-came"
    with store._engine.connect() as connection:
        for table in metadata.sorted_tables:
            assert "Lovelace" not in str(connection.execute(sa.select(table)).all())
    assert not any("Lovelace" in str(body) for body in desk.bodies(""))


def test_an_entry_that_makes_no_sense_asks_nobody(mosquitto, store, desk):
    broker = Broker(port=mosquitto.port)
    for wanted in (Wanted(site.NAME, "u1", "headset", None), Wanted(site.NAME, "u1", "mug", "A")):
        with pytest.raises(RegistryError):
            enrol(broker, store, wanted, ready=lambda: None)
    time.sleep(0.2)
    assert desk.bodies("enrol") == []


def test_without_a_broker_it_says_so(store, monkeypatch):
    monkeypatch.setattr("host_bridge.enrolment.CONNECT_SECONDS", 0.5)
    with pytest.raises(EnrolmentError, match="nothing was entered"):
        enrol(Broker(port=free_port()), store, WANTED, ready=lambda: None)
