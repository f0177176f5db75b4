"""What goes, what stays, and that it is proven."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from host_bridge.forget import ClockError, forget
from host_bridge.settings import Privacy, Settings
from host_bridge.store import Batch, Cut, DeadLetter, Incoming, Store
from host_bridge.store.retention import _due, _due_of
from host_bridge.store.tables import facts
from tests.host_bridge import site
from tests.host_bridge.forget.nights import (
    DAY,
    HOUR,
    NIGHT,
    boot,
    commit,
    over,
    press,
    run,
    seat,
    settings_at,
    tap,
    types,
)


def test_what_is_as_old_as_its_limit_goes_and_what_is_a_millisecond_younger_stays(store, settings):
    for unit, number, fact, hours in (
        ("u1", 1, tap, 72),
        ("u2", 1, tap, 72),
        ("u3", 1, seat, 168),
        ("u4", 1, seat, 168),
    ):
        value = site.HEADSET_OF_ANNA if fact is tap else True
        younger = unit in {"u2", "u4"}
        commit(store, fact(unit, number, value), NIGHT - hours * HOUR + younger)
    assert over(store, settings) == {"taps": 1, "seats": 1}
    done = run(store, settings)
    assert types(store) == [("u2", 1), ("u4", 1)]
    assert (done["taps"].deleted, done["seats"].deleted, done["faults"].deleted) == (1, 1, 0)
    assert done["taps"].oldest_ms == NIGHT - 72 * HOUR + 1
    assert over(store, settings) == {}
    assert over(store, settings, NIGHT + 1) == {"taps": 1, "seats": 1}
    assert {each.data: each for each in store.retention.last_run(site.NAME)} == done


def test_age_counts_from_the_happening_so_what_comes_late_goes_in_the_next_run(store, settings):
    commit(store, tap("u1", 1, site.CLEANER), NIGHT - 4 * DAY, late_ms=4 * DAY - 1)
    assert run(store, settings)["taps"].deleted == 1


def test_starts_faults_and_open_reports_stay(store, settings):
    commit(store, boot("u1", 1), NIGHT - 900 * DAY)
    commit(store, press("u1", 1), NIGHT - 800 * DAY)
    store.incidents.add(site.NAME, "u1", boot=1, seq=1, word="heard", time_ms=NIGHT - 799 * DAY)
    assert run(store, settings)["reports"].deleted == 0
    assert types(store) == [("u1", 1), ("u1", 1)]
    assert len(store.incidents.records(site.NAME)) == 1


def test_a_report_goes_a_year_after_it_was_closed_with_what_was_done_about_it(store, settings):
    year = 365 * DAY
    for unit, closed_ms in (("u1", NIGHT - year), ("u2", NIGHT - year + 1)):
        commit(store, press(unit, 1), NIGHT - year - DAY)
        commit(store, press(unit, 2), NIGHT - year - DAY)
        store.incidents.add(
            site.NAME, unit, boot=1, seq=2, word="withdrawn", time_ms=closed_ms
        )  # fmt: skip
    commit(store, press("u3", 1, drill=True), NIGHT - year)
    assert run(store, settings)["reports"].deleted == 3
    assert types(store) == [("u2", 1), ("u2", 2)]
    assert [record.unit for record in store.incidents.records(site.NAME)] == ["u2"]


def test_dead_letters_live_no_longer_than_taps(store, settings):
    letters = [
        DeadLetter(received_ms=NIGHT - 72 * HOUR + ms, topic=topic, payload=b"?", reason="r")
        for ms in (0, 1)
        for topic in ("chequer/v1/hq/u1/fact", "chequer/v1/elsewhere/u1/fact", "nonsense")
    ]
    store.commit(Batch(worker="w1", received=6, facts=[], dead_letters=letters))
    assert run(store, settings)["dead-letters"].deleted == 3
    assert {letter.received_ms for letter in store.dead_letters()} == {NIGHT - 72 * HOUR + 1}


def test_a_site_that_keeps_things_for_less_deletes_its_own_only(store, settings):
    import msgspec

    short = msgspec.structs.replace(settings, privacy=Privacy(keep={"taps": 48}))
    commit(store, tap("u1", 1, site.CLEANER), NIGHT - 48 * HOUR)
    elsewhere = Incoming(
        site="other", lane="ordinary", fact=tap("u1", 1, site.CLEANER), sure="age",
        time_ms=NIGHT - 50 * DAY, received_ms=NIGHT - 50 * DAY, topic="t",
    )  # fmt: skip
    store.commit(Batch(worker="w1", received=1, facts=[elsewhere], dead_letters=[]))
    assert run(store, short)["taps"].deleted == 1
    assert types(store) == [("u1", 1)]


def test_a_deleted_fact_that_is_sent_again_is_a_duplicate_and_does_not_come_back(store, settings):
    commit(store, tap("u1", 1, site.CLEANER), NIGHT - 4 * DAY)
    before = store.ledger()
    run(store, settings)
    assert store.ledger() == before
    commit(store, tap("u1", 1, site.CLEANER), NIGHT - 4 * DAY)
    (row,) = store.ledger()
    assert (row.received, row.stored, row.duplicates, row.difference) == (2, 1, 1, 0)
    assert types(store) == []
    assert store.gaps() == []


@pytest.mark.parametrize("jump", [365 * DAY, 4 * DAY + 1, -2 * HOUR])
def test_a_clock_that_has_jumped_deletes_nothing_and_says_so(store, settings, jump):
    run(store, settings)
    commit(store, tap("u1", 1, site.CLEANER), NIGHT + HOUR)
    # What arrives after the jump is dated by the same clock, and proves nothing.
    commit(store, seat("u1", 2, True), NIGHT + jump - 1)
    with pytest.raises(ClockError, match=r"Nothing was deleted.*--clock-is-right"):
        run(store, settings, NIGHT + jump, clock_is_right=False)
    assert len(types(store)) == 2
    assert store.retention.last_run(site.NAME)[0].at_ms == NIGHT


def test_before_the_first_deletion_the_newest_fact_says_whether_the_clock_can_be_right(
    store, settings
):
    commit(store, tap("u1", 1, site.CLEANER), NIGHT - 30 * DAY)
    with pytest.raises(ClockError, match="the newest fact"):
        run(store, settings, clock_is_right=False)
    commit(store, tap("u1", 2, site.CLEANER), NIGHT - DAY)
    assert run(store, settings, clock_is_right=False)["taps"].deleted == 1


def test_nothing_of_a_deleted_tap_can_be_read_in_sqlites_files(tmp_path: Path):
    settings = settings_at(f"sqlite:///{tmp_path}/c.db", tmp_path)
    store = Store.open(settings.store.url)
    try:
        for seq in range(1, 400):
            tag = site.HEADSET_OF_ANNA if seq < 390 else site.HEADSET_OF_BEA
            commit(store, tap("u1", seq, tag), NIGHT - (73 if seq < 390 else 1) * HOUR)
        run(store, settings)
        files = b"".join(file.read_bytes() for file in tmp_path.glob("c.db*"))
        assert site.HEADSET_OF_BEA.encode() in files
        assert site.HEADSET_OF_ANNA.encode() not in files
    finally:
        store.close()


def test_a_reader_who_takes_long_holds_up_nothing(tmp_path: Path):
    settings = settings_at(f"sqlite:///{tmp_path}/c.db", tmp_path)
    store = Store.open(settings.store.url)
    commit(store, tap("u1", 1, site.CLEANER), NIGHT - 80 * HOUR)
    with store._engine.connect() as reading:
        reading.execute(sa.select(facts)).all()
        assert run(store, settings)["taps"].deleted == 1
        commit(store, tap("u1", 2, site.CLEANER), NIGHT)
    store.close()


def test_what_is_due_is_found_by_its_time_and_not_by_reading_everything(tmp_path: Path):
    store = Store.open(f"sqlite:///{tmp_path}/c.db")
    cut = Cut(site=site.NAME, before_ms={"taps": 1, "seats": 1, "faults": 1}, upto=9)
    query = sa.select(sa.func.min(facts.c.time_ms)).where(_due(cut, ("seats",)))
    text = query.compile(store._engine, compile_kwargs={"literal_binds": True})
    every = sa.select(facts).where(_due_of(cut, "u1", ("taps", "faults"))).limit(9)
    also = every.compile(store._engine, compile_kwargs={"literal_binds": True})
    with store._engine.connect() as connection:
        for statement, index in ((text, "type_time_ms"), (also, "(site=? AND unit=?")):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            words = " ".join(str(row[-1]) for row in plan)
            assert "SCAN facts" not in words, words
            assert index in words, words
    store.close()


def test_commits_go_on_while_much_is_deleted(store, settings):
    for number in range(40):
        taps = [
            Incoming(
                site=site.NAME, lane="ordinary", sure="age", topic="t",
                fact=tap(f"u{number % 8 + 1}", number * 100 + n, site.CLEANER),
                time_ms=NIGHT - 80 * HOUR, received_ms=NIGHT - 80 * HOUR,
            )
            for n in range(1, 101)
        ]  # fmt: skip
        store.commit(Batch(worker="w1", received=100, facts=taps, dead_letters=[]))
    stop, commits = threading.Event(), []

    def relay() -> None:
        while not stop.is_set():
            commit(store, seat("u1", 10_000 + len(commits), True), NIGHT)
            commits.append(1)

    thread = threading.Thread(target=relay)
    work = forget(store, settings, NIGHT, clock_is_right=True)
    thread.start()
    try:
        seen = {len(commits) for _ in work}
    finally:
        stop.set()
        thread.join(30)
    assert len(commits) > 2
    assert len(seen) > 2, "some commits came between the portions"
    assert over(store, settings) == {}
    assert sum(row.difference for row in store.ledger()) == 0


def test_several_nights_may_have_been_missed_over_a_long_weekend(store, settings):
    run(store, settings)
    run(store, settings, NIGHT + 4 * DAY, clock_is_right=False)


def test_a_site_of_which_nothing_was_ever_heard_has_its_proof_too(store: Store, settings: Settings):
    assert {each.deleted for each in run(store, settings).values()} == {0}
