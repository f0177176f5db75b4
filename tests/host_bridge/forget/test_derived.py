"""What follows from the facts is the same after a deletion as before it."""

import random
from typing import Any

import pytest

from host_bridge.director import Director
from host_bridge.domain.incidents import fold
from host_bridge.forget import forget
from host_bridge.settings import Settings
from host_bridge.store import Store, rebuild
from tests.host_bridge import site
from tests.host_bridge.forget.nights import (
    DAY,
    HOUR,
    NIGHT,
    boot,
    commit,
    press,
    run,
    seat,
    tap,
    types,
)
from tests.host_bridge.store.desk_facts import nowhere, rows

MINUTE = 60_000


class Still:
    """A clock that stands."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def seconds(self) -> float:
        return self.now_ms / 1000

    def unix_ms(self) -> int:
        return self.now_ms


def director(settings: Settings, store: Store, now_ms: int) -> Director:
    made = Director(settings, store, shift=lambda _: 0, clock=Still(now_ms))
    made._catch_up()
    return made


def shown(made: Director, now_ms: int) -> dict[str, str]:
    rooms = made.floor.view(now_ms, {})
    return {desk.unit: desk.seat for room in rooms for desk in room.desks}


def test_a_desk_left_dirty_is_dirty_after_its_taps_are_gone_and_a_cleaned_one_ready(
    store, settings
):
    site.register(store)
    for unit in ("u1", "u6"):
        commit(store, tap(unit, 1, site.HEADSET_OF_ANNA), NIGHT - 4 * DAY)
        commit(store, tap(unit, 2, site.HEADSET_OF_ANNA), NIGHT - 4 * DAY + HOUR)
    commit(store, tap("u6", 3, site.CLEANER), NIGHT - 4 * DAY + 2 * HOUR)
    assert run(store, settings)["taps"].deleted == 5
    assert types(store) == []
    found = shown(director(settings, store, NIGHT), NIGHT)
    assert (found["u1"], found["u6"]) == ("dirty", "free")
    # And again, after a night in which nothing was left to be told.
    run(store, settings, NIGHT + DAY)
    found = shown(director(settings, store, NIGHT + DAY), NIGHT + DAY)
    assert (found["u1"], found["u6"]) == ("dirty", "free")


def test_somebody_who_came_before_the_limit_and_left_after_it_has_not_just_come(store, settings):
    # Of the two taps only the second is left: alone it would be a sign-in.
    site.register(store)
    commit(store, tap("u1", 1, site.HEADSET_OF_ANNA), NIGHT - 72 * HOUR - MINUTE)
    commit(store, seat("u1", 2, True), NIGHT - 72 * HOUR)
    commit(store, tap("u1", 3, site.HEADSET_OF_ANNA), NIGHT - 72 * HOUR + 8 * HOUR)
    run(store, settings)
    assert types(store) == [("u1", 2), ("u1", 3)]
    assert rows(store, "signed_in")["signed_in"] == []
    assert rebuild(settings.store.url, nowhere, check=True) == []
    assert director(settings, store, NIGHT).floor.desk("u1", NIGHT).holder is None


def test_a_session_ends_with_the_tap_that_began_it(store, settings):
    site.register(store)
    commit(store, seat("u1", 1, True), NIGHT - 80 * HOUR)
    commit(store, tap("u1", 2, site.HEADSET_OF_ANNA), NIGHT - 80 * HOUR)
    assert len(rows(store, "signed_in")["signed_in"]) == 1
    run(store, settings)
    assert rows(store, "signed_in")["signed_in"] == []
    assert rebuild(settings.store.url, nowhere, check=True) == []
    desk = director(settings, store, NIGHT).floor.desk("u1", NIGHT)
    assert (desk.occupied, desk.used, desk.holder) == (True, True, None)


def test_a_report_that_was_withdrawn_does_not_come_back_when_the_tap_is_gone(store, settings):
    site.register(store)
    at = NIGHT - 73 * HOUR
    commit(store, tap("u1", 1, site.HEADSET_OF_ANNA, up=1000), at)
    commit(store, press("u1", 1, up=2000), at + 1000)
    commit(store, tap("u1", 2, site.HEADSET_OF_ANNA, up=9000), at + 8000)
    commit(store, press("u2", 1), at)
    # Nobody directed the site meanwhile, so nobody has recorded the withdrawal yet.
    assert store.incidents.records(site.NAME) == []
    run(store, settings)
    states = {
        each.unit: each.state
        for each in fold(store.incidents.reports(site.NAME), store.incidents.records(site.NAME))
    }
    assert states == {"u1": "withdrawn", "u2": "new"}
    started = director(settings, store, NIGHT)
    started._record()
    assert len(store.incidents.records(site.NAME)) == 1


def happenings(seed: int, days: int) -> list[tuple[int, Any]]:
    """What happens at a site by day and night, in the order of time, with restarts of units.

    Once a day each desk is left for a while, so that nobody is signed in for three days: whoever
    is, is forgotten with the tap, and desks can't know then whom they refuse.
    """
    chance = random.Random(seed)
    tags = (site.HEADSET_OF_ANNA, site.HEADSET_OF_BEA, site.HEADSET_OF_ANNA, site.CLEANER)
    counts, boots = dict.fromkeys(site.UNITS, 0), dict.fromkeys(site.UNITS, 1)
    found, now, left = [], NIGHT - days * DAY, 0
    while now < NIGHT:
        if (now + 4 * HOUR) // DAY > left:
            left = (now + 4 * HOUR) // DAY
            for unit in site.UNITS:
                counts[unit] += 1
                found.append((now, seat(unit, counts[unit], False, boot=boots[unit])))
            now += HOUR
        unit = chance.choice(site.UNITS)
        if chance.random() < 0.02:
            boots[unit], counts[unit] = boots[unit] + 1, 1
            found.append((now, boot(unit, boots[unit])))
        else:
            counts[unit] += 1
            fact: Any = seat(unit, counts[unit], chance.random() < 0.6, boot=boots[unit])
            if chance.random() < 0.4:
                fact = tap(unit, counts[unit], chance.choice(tags), boot=boots[unit])
            found.append((now, fact))
        now += chance.choice((20_000, 200_000, 1_800_000, 4 * HOUR))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_night_for_night_the_tables_and_a_new_director_say_the_same_as_without_deletion(
    store, settings, seed
):
    site.register(store)
    live: Director | None = None
    told = happenings(seed, days=12)
    night = NIGHT - 8 * DAY
    gone = 0
    for place, (at_ms, fact) in enumerate(told):
        commit(store, fact, at_ms)
        if live is None:
            live = director(settings, store, at_ms)
        if place + 1 < len(told) and told[place + 1][0] <= night:
            continue
        live._catch_up()
        done = run(store, settings, night)
        gone += done["taps"].deleted
        assert rebuild(settings.store.url, nowhere, check=True) == []
        assert shown(director(settings, store, night), night) == shown(live, night)
        night += DAY
    assert gone > 50


@pytest.mark.parametrize("seed", range(3))
def test_what_comes_days_late_and_behind_later_facts_spoils_no_table(store, settings, seed):
    site.register(store)
    chance = random.Random(seed)
    # What a unit without a network has kept comes in any order, hours or days later.
    arrivals = [
        (at_ms + chance.choice((0, 0, 0, HOUR, 30 * HOUR, 100 * HOUR)), at_ms, fact)
        for at_ms, fact in happenings(seed, days=12)
    ]
    night, gone = NIGHT - 8 * DAY, 0
    for came_ms, at_ms, fact in sorted(arrivals, key=lambda each: each[0]):
        while came_ms > night:
            gone += run(store, settings, night)["taps"].deleted
            assert rebuild(settings.store.url, nowhere, check=True) == []
            night += DAY
        commit(store, fact, at_ms, late_ms=came_ms - at_ms)
    assert rebuild(settings.store.url, nowhere, check=True) == []
    assert gone > 20
    (row,) = store.ledger()
    with store._engine.connect() as connection:
        (count,) = connection.exec_driver_sql("SELECT sum(count) FROM forgotten").one()
    assert row.stored == len(types(store)) + int(count)


@pytest.mark.parametrize("seed", range(2))
def test_a_run_may_be_broken_off_after_any_portion(store, settings, seed, monkeypatch):
    monkeypatch.setattr("host_bridge.store.retention.PORTION", 3)
    site.register(store)
    for at_ms, fact in happenings(seed, days=9):
        commit(store, fact, at_ms)
    live = shown(director(settings, store, NIGHT), NIGHT)
    steps = 0
    while True:
        work = forget(store, settings, NIGHT)
        step = next(work)
        for _ in range(12):
            step = next(work, step)
        work.close()
        steps += 1
        assert rebuild(settings.store.url, nowhere, check=True) == []
        if not store.retention.last_run(site.NAME):
            continue
        break
    assert steps > 2
    assert shown(director(settings, store, NIGHT), NIGHT) == live


def test_how_full_a_room_was_stays_and_of_a_small_room_nothing(store, settings):
    import msgspec

    from host_bridge.settings import Privacy

    at = NIGHT - 8 * DAY - NIGHT % HOUR
    at -= at % HOUR
    commit(store, seat("u1", 1, True), at)
    commit(store, seat("u2", 1, True), at + 30 * MINUTE)
    commit(store, seat("u1", 2, False), at + 45 * MINUTE)
    commit(store, seat("u2", 2, False), at + 3 * HOUR + 6 * MINUTE)
    run(store, settings, NIGHT - 2 * DAY)
    assert rows(store, "room_hours")["room_hours"] == []
    few = msgspec.structs.replace(settings, privacy=Privacy(group=5))
    run(store, few)
    kept = rows(store, "room_hours")["room_hours"]
    assert [(row["room"], row["hour_ms"], row["highest"], row["mean"]) for row in kept] == [
        ("Sala Nord", at, 2, 1.2),
        ("Sala Nord", at + HOUR, 1, 1.0),
        ("Sala Nord", at + 2 * HOUR, 1, 1.0),
        ("Sala Nord", at + 3 * HOUR, 1, 0.1),
    ]
    assert types(store) == []
    assert rebuild(settings.store.url, nowhere, check=True) == []
