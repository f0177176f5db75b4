"""Where a reader begins that wants what has arrived since some time."""

from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_bridge.contract.facts import Seat
from host_bridge.store import Incoming, Store
from tests.host_bridge.store.batches import NOW, batch, empty, incoming

DAY_MS = 86_400_000


def seat(seq: int, received_ms: int) -> Incoming:
    fact = Seat(unit="u", boot=1, seq=seq, up=seq, occupied=True)
    return incoming(fact, received_ms=received_ms)


def test_without_any_fact_the_next_one_will_be_found(store: Store) -> None:
    first = store.first_id_since(NOW)
    store.commit(batch(seat(1, NOW)))
    assert [row.seq for row in store.facts_after(first - 1, 10)] == [1]


def test_when_nothing_has_arrived_since_only_the_next_fact_is_found(store: Store) -> None:
    store.commit(batch(seat(1, NOW), seat(2, NOW)))
    first = store.first_id_since(NOW + 1)
    assert first == store.newest() + 1
    store.commit(batch(seat(3, NOW - DAY_MS)))
    assert [row.seq for row in store.facts_after(first - 1, 10)] == [3]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.integers(0, 90), min_size=1, max_size=20),
    since=st.integers(-1, 91),
)
def test_whoever_begins_there_misses_nothing_and_begins_as_late_as_possible(
    store: Store, days: list[int], since: int
) -> None:
    # Arrivals are in no order: a worker that waited for the database commits its facts late.
    empty(store)
    for seq, day in enumerate(days, start=1):
        store.commit(batch(seat(seq, NOW + day * DAY_MS)))
    first = store.first_id_since(NOW + since * DAY_MS)
    found = [row.seq for row in store.facts_after(first - 1, 100)]
    wanted = [seq for seq, day in enumerate(days, start=1) if day >= since]
    assert found == (list(range(wanted[0], len(days) + 1)) if wanted else [])


def test_the_past_is_not_read_to_find_it(store: Store) -> None:
    old = [seat(seq, NOW + seq) for seq in range(1, 3001)]
    store.commit(batch(*old, seat(3001, NOW + 90 * DAY_MS)))
    asked: list[tuple[str, Any]] = []
    sa.event.listen(
        store._engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3]))
    )
    assert store.first_id_since(NOW + 80 * DAY_MS) == 3001
    ((text, values),) = [each for each in asked if "received_ms >=" in each[0]]
    sqlite = store._engine.dialect.name == "sqlite"
    with store._engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {text}", values).all())
    if sqlite:
        assert "SEARCH facts USING COVERING INDEX ix_facts_received_ms" in plan
    else:
        assert "facts_2026_01" in plan
        assert "facts_2025_10" not in plan
