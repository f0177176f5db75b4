"""Records about incidents, and modes, come out as they went in, on either database."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from host_bridge.contract.facts import Press, Urgent
from host_bridge.store import Store, UnitMode
from tests.host_bridge.store.batches import NOW, batch, incoming, seat


def test_reports_are_the_button_s_facts_of_one_site_in_the_order_of_the_commits(
    store: Store,
) -> None:
    late = incoming(Press(unit="u", boot=1, seq=1, up=1))
    early = incoming(Urgent(unit="u", boot=1, seq=2, up=2, gesture="hold"))
    elsewhere = incoming(Press(unit="u", boot=1, seq=1, up=1), site="t")
    store.commit(batch(seat(1), early, elsewhere))
    store.commit(batch(late))
    assert [report.fact for report in store.incidents.reports("s")] == [early.fact, late.fact]


def test_reports_are_found_among_all_facts_by_an_index(store: Store) -> None:
    press = incoming(Press(unit="u", boot=1, seq=1, up=1))
    store.commit(batch(*(seat(seq) for seq in range(1, 3001)), press))
    asked: list[tuple[str, Any]] = []
    sa.event.listen(
        store._engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3]))
    )
    assert len(store.incidents.reports("s")) == 1
    ((text, values),) = [each for each in asked if "SELECT" in each[0]]
    sqlite = store._engine.dialect.name == "sqlite"
    with store._engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {text}", values).all())
    used = "USING INDEX ix_facts_button" if sqlite else "Scan using facts_2025_10_site_id_idx"
    assert used in plan, plan


def test_a_record_is_added_once_and_the_first_one_stands(store: Store) -> None:
    add = store.incidents.add
    assert add("s", "u", boot=1, seq=2, word="heard", time_ms=NOW)
    assert not add("s", "u", boot=1, seq=2, word="heard", time_ms=NOW + 1)
    assert add("s", "u", boot=1, seq=2, word="withdrawn", time_ms=NOW + 2)
    assert add("t", "u", boot=1, seq=2, word="heard", time_ms=NOW)
    found = store.incidents.records("s")
    assert [(record.word, record.time_ms) for record in found] == [
        ("heard", NOW),
        ("withdrawn", NOW + 2),
    ]
    assert store.incidents.records("s", after=found[0].id) == found[1:]


def test_of_many_who_answer_at_once_one_makes_the_record(store: Store) -> None:
    def answer(at: int) -> bool:
        return store.incidents.add("s", "u", boot=1, seq=1, word="heard", time_ms=NOW + at)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, range(12))).count(True) == 1
    assert len(store.incidents.records("s")) == 1


def test_a_record_changes_the_marker_that_the_director_looks_at(store: Store) -> None:
    before = store.changed()
    store.incidents.add("s", "u", boot=1, seq=1, word="heard", time_ms=NOW)
    between = store.changed()
    store.modes.quiet("s", "u", quiet=True)
    assert len({str(marker) for marker in (before, between, store.changed())}) == 3


def test_a_drill_and_silence_do_not_end_each_other(store: Store) -> None:
    store.modes.drill("s", "u", NOW)
    store.modes.quiet("s", "u", quiet=True)
    store.modes.quiet("t", "u", quiet=True)
    assert store.modes.all("s") == {"u": UnitMode(drill_until_ms=NOW, quiet=True)}
    store.modes.drill("s", "u", None)
    assert store.modes.all("s") == {"u": UnitMode(quiet=True)}
