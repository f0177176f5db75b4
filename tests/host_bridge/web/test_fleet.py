"""The fleet: at a glance, with what is amiss first; hostile units change no markup."""

import json
import logging
import re

import httpx
import pytest

from host_bridge.contract.facts import Boot, Dropped, Place
from host_bridge.domain.rollout import Offered
from host_bridge.store import Store
from host_bridge.web.gap_alarm import GapAlarm
from host_bridge.web.update_metrics import of_updates
from tests.host_bridge import site
from tests.host_bridge.listener import eventually
from tests.host_bridge.served import Served

HOUR_MS = 3_600_000


def fleet(served: Served) -> dict[str, dict]:
    return {each["unit"]: each for each in httpx.get(f"{served.url}/api/v1/fleet").json()["units"]}


def say(served: Served, unit: str, **what: object) -> None:
    state = json.dumps({"unit": unit, "online": True, **what}).encode()
    served.desks.publish(f"chequer/v1/{site.NAME}/{unit}/state", state)


def with_trouble(served: Served) -> None:
    """u1 well; u2 off; u3 a chip; u4 a gap that stays; u5 dropped; u6 safe; x9 nowhere."""
    for unit in ("u1", "u2", "u4", "u5", "x9"):
        say(served, unit, firmware="1.4.0")
    say(served, "u3", firmware="1.4.0", faults={"reader": "no answer"})
    say(served, "u6", firmware="1.3.9", mode="safe")
    served.desks.publish(f"chequer/v1/{site.NAME}/u2/state", b'{"unit":"u2","online":false}')
    site.commit(served.store, site.seat("u4", 1, True), site.seat("u4", 5, True), ago_ms=HOUR_MS)
    dropped = Dropped(
        unit="u5", boot=1, seq=4, up=4, age=0, lane="ordinary", count=2,
        first=Place(boot=1, seq=2), last=Place(boot=1, seq=3),
    )  # fmt: skip
    site.commit(served.store, site.seat("u5", 1, True), dropped, dead=2, ago_ms=HOUR_MS)
    eventually(lambda: fleet(served)["x9"]["state"] == "online")
    eventually(lambda: fleet(served)["u2"]["state"] == "offline")


def test_what_no_retained_state_tells_of_a_unit_its_facts_do(served):
    # A broker that lost its memory, or a unit that died before it started: "never heard" is not
    # all that is known.
    boot = Boot(unit="u7", boot=3, seq=1, up=1, age=0, cause="power", firmware="1.2.9")
    site.commit(served.store, boot, ago_ms=HOUR_MS)
    eventually(lambda: fleet(served)["u7"]["heard"] is not None)
    found = fleet(served)
    assert (found["u7"]["state"], found["u7"]["firmware"]) == ("silent", "1.2.9")
    assert found["u7"]["heard"].endswith(":00Z")
    assert found["u8"]["heard"] is None
    say(served, "u7", firmware="1.3.0")
    eventually(lambda: fleet(served)["u7"]["firmware"] == "1.3.0")


def test_each_unit_shows_what_is_amiss_and_those_come_first(served):
    with_trouble(served)
    found = fleet(served)
    amiss = [name for name, unit in found.items() if unit["amiss"]]
    assert set(amiss) == {"u2", "u3", "u4", "u6", "u7", "u8", "x9"}
    assert list(found)[: len(amiss)] == amiss
    assert (found["u1"]["word"], found["u1"]["desk"]) == ("Online", "A1")
    assert (found["u2"]["firmware"], found["u7"]["word"]) == ("1.4.0", "Never heard")
    assert found["u3"]["faults"] == {"reader": "no answer"}
    assert (found["u4"]["gap"]["missing"], found["u4"]["gap"]["standing"]) == (3, True)
    assert found["u4"]["gap"]["age_seconds"] >= 3_600
    assert (found["u5"]["gap"]["dropped"], found["u5"]["gap"]["standing"]) == (2, False)
    assert (found["u1"]["dead_letters"], found["u6"]["safe"], found["x9"]["desk"]) == (
        2,
        True,
        None,
    )


def test_when_a_unit_was_heard_is_told_to_the_minute_and_not_what_the_broker_had_kept(served):
    say(served, "u1")
    heard = eventually(lambda: fleet(served)["u1"]["heard"])
    assert re.fullmatch(r".*:\d\d:00Z", heard)
    eventually(lambda: fleet(served)["u1"]["state"] == "online")
    assert fleet(served)["u2"]["heard"] is None


def test_hostile_words_of_a_unit_stay_words(served):
    faults = {f"<b>{n}</b>" + "x" * 40: "<script>alert(1)</script>" for n in range(40)}
    say(served, "u1", firmware="<img src=x>", faults=dict(list(faults.items())[:8]))
    say(served, "u2", firmware="a1" * 16)
    eventually(lambda: fleet(served)["u2"]["state"] == "online")
    page = httpx.get(f"{served.url}/fleet").text
    assert "<img src=x" not in page and "<script>alert" not in page and "<b>" not in page
    assert "a1" * 16 not in page
    assert len(fleet(served)["u1"]["faults"]) <= 8


def test_the_page_says_in_words_and_shapes_what_the_colours_say(served):
    with_trouble(served)
    page = httpx.get(f"{served.url}/fleet").text
    for words in ("7 of 9 need a look", "gap stays", "reader: no answer", "safe mode",
                  "Never heard", "at no desk of the settings",
                  "missing for more than ten minutes"):  # fmt: skip
        assert words in page, words
    row = re.search(r'<tr data-unit="u2".*?</tr>', page, re.DOTALL).group()
    assert "Offline" in row and "<path" in row


def test_the_fleet_is_in_the_metrics_without_series_of_faults_or_persons(served):
    with_trouble(served)
    text = httpx.get(f"{served.url}/metrics").text
    for line in (
        'chequer_units{state="online"} 6.0', 'chequer_units{state="offline"} 1.0',
        'chequer_units{state="silent"} 2.0', "chequer_units_faulty 1.0",
        "chequer_units_safe_mode 1.0", "chequer_units_unplanned 1.0",
        'chequer_unit_versions{version="1.4.0"} 6.0', "chequer_gap_units 2.0",
        "chequer_gap_standing_units 1.0", 'chequer_gap_standing{unit="u4"} 1.0',
        'chequer_dropped_facts{unit="u5"} 2.0', "chequer_director_leads 1.0",
        "chequer_director_elected 1.0", "chequer_director_lag_facts 0.0",
    ):  # fmt: skip
        assert line in text, line


def test_updates_are_in_the_metrics_by_how_they_stand(served, tmp_path):
    # In a store of its own: the host's director tells anew how its site's offers stand.
    store = Store.open(f"sqlite:///{tmp_path}/updates.db")
    bundle = "0123456789abcdef" * 2
    for unit in ("u1", "u2", "u3"):
        offer = Offered(unit=unit, bundle=bundle, size=9, version=3, again=False, batch=1,
                        offered_ms=1)  # fmt: skip
        store.updates.offer(site.NAME, [offer])
    store.updates.stands(site.NAME, {("u3", bundle): "back"})
    (family,) = of_updates(store, site.NAME)
    store.close()
    counts = {sample.labels["standing"]: sample.value for sample in family.samples}
    assert (counts["waits"], counts["back"], counts["missing"]) == (2, 1, 0)
    assert 'chequer_update_units{standing="waits"} 0.0' in httpx.get(f"{served.url}/metrics").text


def test_a_gap_that_stays_is_logged_once_and_again_when_it_is_filled(served, caplog):
    with_trouble(served)
    alarm = GapAlarm()
    from host_bridge.web import ledger

    with caplog.at_level(logging.INFO, "host_bridge.web.gap_alarm"):
        for _ in range(3):
            alarm.look(ledger.read(served.store, site.NAME, site.now_ms()).gaps)
        site.commit(served.store, *(site.seat("u4", seq, True) for seq in (2, 3, 4)))
        alarm.look(ledger.read(served.store, site.NAME, site.now_ms()).gaps)
    said = [r.getMessage() for r in caplog.records if "unit u4" in r.getMessage()]
    assert sum("missing" in line for line in said) >= 1
    assert said[-1] == "the gap of unit u4 is filled or explained"


@pytest.mark.parametrize("path", ["/fleet", "/api/v1/fleet"])
def test_a_fleet_that_cannot_be_read_is_a_problem_with_what_to_do(served, path, monkeypatch):
    from host_bridge.store import StoreUnavailableError

    def fail() -> None:
        raise StoreUnavailableError("sqlite:///x", "locked")

    monkeypatch.setattr(served.store, "ledger", fail)
    answer = httpx.get(f"{served.url}{path}")
    assert (answer.status_code, set(answer.json())) == (503, {"what", "kept", "do"})
