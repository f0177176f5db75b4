import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from host_bridge.clock import SystemClock
from host_bridge.director import Director
from host_bridge.settings import Settings
from host_bridge.store import Store
from tests.host_bridge import site
from tests.host_bridge.listener import Listener, eventually
from tests.services import Mosquitto


@pytest.fixture
def settings(tmp_path: Path, mosquitto: Mosquitto) -> Settings:
    return site.settings_for(tmp_path, mosquitto.port)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings.store.url)
    site.register(opened)
    yield opened
    opened.close()


@pytest.fixture
def desk(mosquitto: Mosquitto) -> Iterator[Listener]:
    ears = Listener(mosquitto.port, "chequer/v1/hq/+/down/+")
    yield ears
    ears.close()


@pytest.fixture
def director(settings: Settings, store: Store, desk: Listener) -> Iterator[Director]:
    """Running, connected, everything read; each day is shift 0."""
    it = Director(settings, store, shift=lambda _: 0)
    it.start()
    eventually(lambda: it.link.connected and it.trouble is None)
    yield it
    it.stop()


def test_a_tap_is_answered_well_under_200_ms_after_its_commit(director, store, desk):
    # One desk, own then goodbye and cleaned in turn, so that each tap has its way to go.
    seconds = []
    for seq in range(1, 31):
        tag = (site.HEADSET_OF_ANNA, site.HEADSET_OF_ANNA, site.CLEANER)[(seq - 1) % 3]
        site.commit(store, site.tap("u1", seq, tag))
        start = time.time()
        eventually(lambda n=seq: len(desk.bodies("u1/down/verdict")) == n)
        seconds.append([at for at, t, _, _ in desk.heard if t.endswith("verdict")][-1] - start)
    words = [body["verdict"] for body in desk.bodies("u1/down/verdict")]
    assert words == ["own", "goodbye", "cleaned"] * 10
    print(f"commit to verdict: {statistics.median(seconds):.4f} s, worst {max(seconds):.4f} s")
    assert statistics.median(seconds) < 0.1
    assert max(seconds) < 0.2


def test_a_verdict_names_the_tap_that_it_answers(director, store, desk):
    site.commit(store, site.tap("u2", 9, "f" * 32, boot=3))
    (body,) = eventually(lambda: desk.bodies("u2/down/verdict"))
    assert (body["boot"], body["seq"], body["verdict"]) == (3, 9, "unknown")
    assert abs(body["time"] - site.now_ms()) < 5_000


def test_old_taps_and_those_of_an_earlier_boot_are_folded_but_not_answered(director, store, desk):
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA, age=60_000))
    site.commit(store, site.tap("u3", 1, site.HEADSET_OF_BEA, age=None))
    site.commit(store, site.tap("u3", 2, "f" * 32), ago_ms=60_000)
    site.commit(store, site.tap("u2", 1, site.HEADSET_OF_ANNA))
    (body,) = eventually(lambda: desk.bodies("verdict"))
    assert body["verdict"] == "elsewhere"
    time.sleep(0.1)
    assert len(desk.bodies("verdict")) == 1


def test_a_restart_answers_no_tap_of_the_past(director, settings, store, desk):
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA), ago_ms=10_000)
    again = Director(settings, store, shift=lambda _: 0)
    again.start()
    eventually(lambda: again.trouble is None and again.link.connected)
    eventually(lambda: any(g["seat"] == "reserved" for g in desk.bodies("u1/down/guidance")))
    again.stop()
    assert desk.bodies("verdict") == []


def test_a_lost_headset_is_unknown_from_the_next_tap_on(director, store, desk):
    store.registry.issue(site.NAME, site.HEADSET_OF_ANNA, "headset", site.ANNA, "lost")
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA))
    (body,) = eventually(lambda: desk.bodies("verdict"))
    assert body["verdict"] == "unknown"


def test_each_desk_gets_its_guidance_once_and_then_on_change_with_growing_versions(
    director, store, desk
):
    eventually(lambda: len(desk.bodies("guidance")) == len(site.UNITS))
    time.sleep(1.2)
    assert len(desk.bodies("guidance")) == len(site.UNITS)
    before = desk.bodies("u1/down/guidance")[0]
    assert before["seat"] == "free"
    site.commit(store, site.seat("u1", 1, True))
    after = eventually(lambda: desk.bodies("u1/down/guidance")[1:])[0]
    assert after["seat"] == "taken"
    assert after["version"] > before["version"]
    assert len(desk.bodies("guidance")) == len(site.UNITS) + 1


def test_guidance_is_retained_for_a_unit_that_comes_later(director, mosquitto, desk):
    eventually(lambda: len(desk.bodies("guidance")) == len(site.UNITS))
    late = Listener(mosquitto.port, "chequer/v1/hq/u2/down/+")
    eventually(lambda: late.bodies("guidance") and late.heard[0][3])
    late.close()
    assert late.bodies("guidance")[0]["seat"] == "blocked"


def test_a_broker_that_forgot_everything_gets_all_guidance_again(director, mosquitto, desk):
    eventually(lambda: len(desk.bodies("guidance")) == len(site.UNITS))
    mosquitto.kill()
    eventually(lambda: not director.link.connected)
    mosquitto.start()
    eventually(lambda: director.link.connected, 30)
    late = Listener(mosquitto.port, "chequer/v1/hq/+/down/guidance")
    eventually(lambda: len({topic for _, topic, _, _ in late.heard}) == len(site.UNITS))
    late.close()


def test_a_restarted_director_counts_versions_on(director, settings, store, desk):
    first = eventually(lambda: desk.bodies("u1/down/guidance"))[0]
    director.stop()
    time.sleep(1.1)
    again = Director(settings, store, shift=lambda _: 0)
    again.start()
    second = eventually(lambda: desk.bodies("u1/down/guidance")[1:])[0]
    again.stop()
    assert second["version"] > first["version"]


def shown(director: Director) -> dict[str, str]:
    return {desk.unit: desk.shown for room in director.rooms for desk in room.desks}


def test_a_unit_is_shown_when_its_state_says_online_and_offline_after_its_last_will(director, desk):
    assert set(shown(director).values()) == {"offline"}
    desk.publish("chequer/v1/hq/u1/state", b'{"unit":"u1","online":true,"up":5}')
    eventually(lambda: shown(director)["u1"] == "free")
    desk.publish("chequer/v1/hq/u1/state", b'{"unit":"u1","online":false}')
    eventually(lambda: shown(director)["u1"] == "offline")


def test_hostile_states_are_counted_by_reason_and_change_nothing(director, desk):
    bad = {
        "u1/state": [b"", b"\xff\xfe", b"{", b"[" * 900, b'{"unit":"u1"}', b"null", b"\x00" * 9],
        "u2/state": [b'{"unit":"u1","online":true}'],
        "u3/state": [b'{"unit":"u3","online":true,"firmware":"' + b"x" * 2000 + b'"}'],
        "UPPER/state": [b'{"unit":"u1","online":true}'],
    }
    for topic, payloads in bad.items():
        for payload in payloads:
            desk.publish(f"chequer/v1/hq/{topic}", payload)
    # An empty retained message is a deletion, and arrives as an empty payload all the same.
    expected = {"content": 7, "other-unit": 1, "size": 1, "topic": 1}
    eventually(lambda: director.presence.ignored == expected)
    assert set(shown(director).values()) == {"offline"}


def test_facts_of_another_site_do_not_move_this_one(director, store):
    site.commit(store, site.seat("u1", 1, True), site="other")
    site.commit(store, site.seat("u3", 1, True))
    eventually(lambda: director.floor.desk("u3", site.now_ms()).occupied)
    assert not director.floor.desk("u1", site.now_ms()).occupied


def test_without_a_broker_it_follows_the_store_and_counts_what_it_could_not_answer(
    director, store, mosquitto
):
    mosquitto.kill()
    eventually(lambda: not director.link.connected)
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA))
    eventually(lambda: director.figures.unanswered == 1)
    assert director.floor.desk("u1", site.now_ms()).holder is not None
    assert director.trouble is None


def test_a_tap_of_the_own_headset_after_a_press_withdraws_it_in_a_record_of_its_own(
    director, store, desk
):
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA))
    site.commit(store, site.press("u1", 1))
    site.commit(store, site.tap("u1", 2, site.HEADSET_OF_BEA))
    site.commit(store, site.tap("u1", 3, site.HEADSET_OF_ANNA))
    eventually(lambda: len(desk.bodies("u1/down/verdict")) == 3)
    words = [body["verdict"] for body in desk.bodies("u1/down/verdict")]
    assert words == ["own", "not-yours", "withdrawn"]
    (record,) = store.incidents.records(site.NAME)
    assert (record.unit, record.boot, record.seq, record.word) == ("u1", 1, 1, "withdrawn")
    assert len(store.incidents.reports(site.NAME)) == 1
    site.commit(store, site.tap("u1", 4, site.HEADSET_OF_ANNA))
    eventually(lambda: len(desk.bodies("u1/down/verdict")) == 4)
    assert desk.bodies("u1/down/verdict")[-1]["verdict"] == "goodbye"


def test_a_restart_records_a_withdrawal_no_second_time(director, settings, store, desk):
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA))
    site.commit(store, site.press("u1", 1), site.tap("u1", 2, site.HEADSET_OF_ANNA))
    eventually(lambda: store.incidents.records(site.NAME))
    again = Director(settings, store, shift=lambda _: 0)
    again.start()
    eventually(lambda: again.trouble is None)
    again.stop()
    assert len(store.incidents.records(site.NAME)) == 1


def hear(store: Store, unit: str, seq: int, ago_ms: int = 0) -> None:
    at = site.now_ms() - ago_ms
    store.incidents.add(site.NAME, unit, boot=1, seq=seq, word="heard", time_ms=at)


def test_a_desk_is_told_once_that_its_report_was_heard(director, store, desk):
    desk.publish("chequer/v1/hq/u1/state", b'{"unit":"u1","online":true}')
    eventually(lambda: shown(director)["u1"] == "free")
    site.commit(store, site.press("u1", 1))
    hear(store, "u1", 1)
    eventually(lambda: desk.bodies("u1/down/incident"))
    time.sleep(1.2)
    assert desk.bodies("down/incident") == [{"boot": 1, "seq": 1, "stage": "seen"}]
    assert not any(retained for _, topic, _, retained in desk.heard if topic.endswith("incident"))


def test_a_desk_that_is_away_is_told_when_it_is_back_unless_that_takes_too_long(
    director, store, desk
):
    hear(store, "u1", 1)
    hear(store, "u2", 1, ago_ms=2 * 3_600_000)
    time.sleep(0.3)
    assert desk.bodies("down/incident") == []
    for unit in ("u1", "u2"):
        state = f'{{"unit":"{unit}","online":true}}'
        desk.publish(f"chequer/v1/hq/{unit}/state", state.encode())
    eventually(lambda: desk.bodies("u1/down/incident"))
    time.sleep(0.3)
    assert desk.bodies("u2/down/incident") == []


def test_a_drill_and_silence_reach_the_desk_retained_and_a_drill_ends_by_itself(
    director, mosquitto, store, desk
):
    eventually(lambda: len(desk.bodies("down/mode")) == len(site.UNITS))
    assert desk.bodies("u1/down/mode") == [{}]
    until = site.now_ms() + 1_500
    store.modes.drill(site.NAME, "u1", until)
    store.modes.quiet(site.NAME, "u1", quiet=True)
    eventually(lambda: desk.bodies("u1/down/mode")[-1] == {"drill_until": until, "quiet": True})
    late = Listener(mosquitto.port, "chequer/v1/hq/u1/down/mode")
    eventually(lambda: late.bodies("mode") and late.heard[0][3])
    late.close()
    eventually(lambda: desk.bodies("u1/down/mode")[-1] == {"quiet": True})
    assert desk.bodies("u2/down/mode") == [{}]


def test_night_and_the_way_to_badge_in_come_from_the_settings(settings, store, desk):
    always = msgspec.structs.replace(
        settings.site, night=(0, 23), timezone="Europe/Rome", badge_in="badge-then-headset"
    )

    class Morning(SystemClock):
        def unix_ms(self):
            return 1_800_000_000_000  # 09:00 in Rome

    it = Director(msgspec.structs.replace(settings, site=always), store, clock=Morning())
    it.start()
    (mode,) = eventually(lambda: desk.bodies("u1/down/mode"))
    it.stop()
    assert mode == {"night": True, "badge_first": True}


def test_a_tag_that_is_being_enrolled_is_no_badge_in(director, store, desk):
    fact = msgspec.structs.replace(site.tap("u1", 1, site.HEADSET_OF_ANNA), enrol=True)
    site.commit(store, fact)
    site.commit(store, site.tap("u1", 2, site.HEADSET_OF_ANNA))
    (body,) = eventually(lambda: desk.bodies("verdict"))
    assert (body["seq"], body["verdict"]) == (2, "own")
