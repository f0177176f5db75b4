"""The night's run: by itself, by whoever directs, and it harms nothing when it fails."""

import logging
from typing import Any

from host_bridge.director.nightly import AFTER_START_S, AGAIN_S, Nightly
from host_bridge.store import Store, StoreUnavailableError
from tests.host_bridge import site
from tests.host_bridge.forget.nights import DAY, HOUR, NIGHT, commit, tap


class Hand:
    """A clock that is set by hand."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.off_ms = 0

    def seconds(self) -> float:
        return self.now_ms / 1000

    def unix_ms(self) -> int:
        return self.now_ms + self.off_ms

    def passes(self, milliseconds: float) -> None:
        self.now_ms += int(milliseconds)


def runs(store: Store) -> int:
    """When the last one was, in hours after that night."""
    last = store.retention.last_run(site.NAME)
    return (last[0].at_ms - NIGHT) // HOUR if last else -1


def test_it_runs_soon_after_a_start_that_missed_a_night_and_then_every_night(store, settings):
    clock = Hand(NIGHT + 5 * HOUR)
    nightly = Nightly(settings, store, lambda: True, clock)
    nightly.step()
    assert runs(store) == -1
    clock.passes(AFTER_START_S * 1000)
    nightly.step()
    assert runs(store) == 5
    for hour in range(6, 72):
        clock.passes(HOUR)
        nightly.step()
        assert runs(store) == (5 if hour < 24 else 24 if hour < 48 else 48), hour
    assert not nightly.failed


def test_a_host_that_stands_by_deletes_nothing(store, settings):
    clock = Hand(NIGHT)
    leads = [False]
    nightly = Nightly(settings, store, lambda: leads[0], clock)
    clock.passes(HOUR)
    nightly.step()
    assert runs(store) == -1
    leads[0] = True
    clock.passes(HOUR)
    nightly.step()
    assert runs(store) == 2


def test_a_failure_is_shown_logged_once_and_tried_again(store, settings, monkeypatch, caplog):
    clock = Hand(NIGHT)
    nightly = Nightly(settings, store, lambda: True, clock)
    clock.passes(HOUR)

    def broken(*_: Any) -> None:
        raise StoreUnavailableError("somewhere", "the disk is full")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(store.retention, "write_runs", broken)
        for _ in range(3):
            nightly.step()
            assert nightly.failed
            clock.passes(AGAIN_S * 1000)
    assert caplog.text.count("the disk is full") == 1
    nightly.step()
    assert (nightly.failed, runs(store)) == (False, 1)


def test_a_clock_that_jumps_a_year_ahead_deletes_nothing_until_it_is_right_again(store, settings):
    clock = Hand(NIGHT)
    nightly = Nightly(settings, store, lambda: True, clock)
    clock.passes(HOUR)
    nightly.step()
    commit(store, tap("u1", 1, site.CLEANER), clock.now_ms)
    clock.off_ms = 365 * DAY
    for _ in range(50):
        clock.passes(HOUR)
        nightly.step()
        assert (nightly.failed, nightly.refused) == (True, True)
    assert store.newest() == 1
    clock.off_ms = 0
    clock.passes(HOUR)
    nightly.step()
    assert (nightly.failed, nightly.refused, store.newest()) == (False, False, 1)


def test_the_thread_ends_in_order_in_the_middle_of_its_work(store, settings, monkeypatch):
    monkeypatch.setattr("host_bridge.director.nightly.AFTER_START_S", 0.0)
    monkeypatch.setattr("host_bridge.store.retention.READ", 1)
    for seq in range(1, 200):
        commit(store, tap("u1", seq, site.CLEANER), NIGHT - 80 * HOUR)
    nightly = Nightly(settings, store, lambda: True, Hand(NIGHT))
    nightly._not_before = 0.0
    nightly.start()
    nightly.stop()
    assert not nightly._thread.is_alive()
