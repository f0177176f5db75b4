"""What a director knows after a start, without reading everything that ever happened."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_bridge.contract.facts import AnyFact
from host_bridge.director import Director
from host_bridge.domain.floor import Floor
from host_bridge.settings import Settings
from host_bridge.store import Store
from tests.host_bridge import site
from tests.services import free_port

DAY_MS = 86_400_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return site.settings_for(tmp_path, free_port())


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings.store.url)
    site.register(opened)
    yield opened
    opened.close()


def started(settings: Settings, store: Store) -> Director:
    """A director that has read what it reads at a start; it needs no broker for that."""
    director = Director(settings, store, shift=lambda _: 0)
    director._catch_up()
    return director


def seats(floor: Floor) -> dict[str, str]:
    rooms = floor.view(site.now_ms(), {})
    return {desk.unit: desk.seat for room in rooms for desk in room.desks}


@pytest.mark.parametrize("closed_days", [0, 30])
def test_desks_are_as_they_were_left_however_long_ago(settings, store, closed_days):
    closed = closed_days * DAY_MS
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA), ago_ms=closed + 90 * DAY_MS)
    site.commit(store, site.tap("u6", 1, site.HEADSET_OF_BEA), ago_ms=closed + 90 * DAY_MS)
    site.commit(store, site.tap("u6", 2, site.CLEANER), ago_ms=closed + 89 * DAY_MS)
    site.commit(store, site.seat("u3", 1, True), ago_ms=closed)
    found = seats(started(settings, store).floor)
    assert (found["u1"], found["u3"], found["u6"]) == ("dirty", "taken", "free")


def test_of_what_is_older_than_a_day_only_the_last_facts_of_each_desk_are_read(settings, store):
    for seq in range(1, 301):
        site.commit(store, site.seat("u1", seq, seq % 2 == 1), ago_ms=(400 - seq) * DAY_MS)
    site.commit(store, site.seat("u2", 1, True))
    assert started(settings, store).figures.facts == 51


def test_a_clock_that_was_weeks_ahead_for_a_moment_hides_nothing(settings, store):
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA), ago_ms=3_600_000)
    site.commit(store, site.seat("u3", 1, True), ago_ms=-60 * DAY_MS)
    assert started(settings, store).figures.facts == 2


def test_a_press_of_long_ago_and_its_withdrawal_are_still_no_goodbye(settings, store):
    ago = 2 * DAY_MS
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA), ago_ms=ago)
    site.commit(store, site.press("u1", 2), ago_ms=ago)
    site.commit(store, site.tap("u1", 3, site.HEADSET_OF_ANNA), ago_ms=ago)
    site.commit(store, site.seat("u1", 4, True), ago_ms=ago)
    assert started(settings, store).floor.desk("u1", site.now_ms()).holder is not None


@pytest.mark.parametrize("seed", range(4))
def test_a_start_shows_the_same_as_a_director_that_never_stopped(
    settings, store, seed, monkeypatch
):
    # Fewer than it reads in life, so that fewer facts show whether they are enough.
    monkeypatch.setattr("host_bridge.director.beginning.LIMIT", 15)
    live = started(settings, store)
    chance = random.Random(seed)
    tags = (site.HEADSET_OF_ANNA, site.HEADSET_OF_BEA, site.CLEANER)
    counts = dict.fromkeys(site.UNITS, 0)
    ago = 40 * DAY_MS
    while ago > 0:
        unit = chance.choice(site.UNITS)
        counts[unit] += 1
        fact: AnyFact = site.seat(unit, counts[unit], chance.random() < 0.5)
        if chance.random() < 0.4:
            fact = site.tap(unit, counts[unit], chance.choice(tags))
        site.commit(store, fact, ago_ms=ago)
        ago -= chance.choice((600_000, 3_600_000, 5 * 3_600_000))
    live._catch_up()
    again = started(settings, store)
    assert again.figures.facts < live.figures.facts
    assert seats(again.floor) == seats(live.floor)
    assert len(set(seats(live.floor).values())) > 1
