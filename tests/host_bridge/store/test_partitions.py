"""PostgreSQL: facts by the month of arrival."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from host_bridge.contract.facts import Seat
from host_bridge.store import Incoming, Store
from host_bridge.store.partitions import month_of, wanted
from tests.host_bridge.store.batches import batch, incoming
from tests.services import Postgres


def at(year: int, month: int, day: int = 15) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def seat(seq: int, received_ms: int) -> Incoming:
    fact = Seat(unit="u", boot=1, seq=seq, up=seq, occupied=True)
    return incoming(fact, received_ms=received_ms)


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


def places(store: Store) -> dict[int, str]:
    """In which part each fact lies."""
    with store._engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT seq, tableoid::regclass::text FROM facts")).all()
    return {row[0]: row[1] for row in rows}


def parts(store: Store) -> list[str]:
    with store._engine.connect() as connection:
        found = connection.scalars(
            sa.text("SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class"
                    " ON pg_class.oid = inhparent WHERE relname = 'facts'")
        )  # fmt: skip
        return sorted(found)


@pytest.mark.parametrize(
    ("time_ms", "month"),
    [(at(2026, 12, 31) + 86_399_999, (2026, 12)), (at(2027, 1, 1), (2027, 1))],
)
def test_a_month_ends_at_midnight_utc(time_ms: int, month: tuple[int, int]) -> None:
    assert month_of(time_ms) == month


def test_the_months_ahead_go_over_the_turn_of_the_year() -> None:
    assert wanted([at(2026, 10), at(2026, 12)]) == {(2026, 10), (2026, 12), (2027, 1), (2027, 2)}


def test_facts_lie_in_the_part_of_their_month_and_parts_are_made_ahead(url: str) -> None:
    store = Store.open(url)
    store.commit(batch(seat(1, at(2026, 11)), seat(2, at(2026, 12, 1))))
    assert places(store) == {1: "facts_2026_11", 2: "facts_2026_12"}
    assert parts(store) == [
        "facts_2026_11", "facts_2026_12", "facts_2027_01", "facts_2027_02", "facts_rest",
    ]  # fmt: skip
    store.close()


def test_a_fact_whose_month_has_no_part_is_not_refused_and_moves_there_later(url: str) -> None:
    store = Store.open(url)
    with store._engine.connect() as intruder:
        # Whoever reads the table holds up the making of parts, but not the facts.
        intruder.exec_driver_sql("SELECT * FROM facts")
        assert store.commit(batch(seat(1, at(2026, 11)))).stored == 1
        assert places(store) == {1: "facts_rest"}
    other = Store.open(url)
    assert other.commit(batch(seat(1, at(2026, 11)), seat(2, at(2026, 11)))).duplicates == 1
    assert places(store) == {1: "facts_2026_11", 2: "facts_2026_11"}
    assert [row.seq for row in store.facts_after(0, 10)] == [1, 2]
    other.close()
    store.close()


def test_a_key_that_came_in_an_earlier_month_is_a_duplicate(url: str) -> None:
    store = Store.open(url)
    store.commit(batch(seat(1, at(2026, 11))))
    outcome = store.commit(batch(seat(1, at(2027, 3))))
    assert (outcome.stored, outcome.duplicates) == (0, 1)
    assert len(store.facts_after(0, 10)) == 1
    store.close()


def test_dropping_a_part_loses_no_memory_of_its_keys(url: str) -> None:
    store = Store.open(url)
    store.commit(batch(seat(1, at(2026, 11)), seat(2, at(2026, 12))))
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE facts_2026_11")
    assert store.commit(batch(seat(1, at(2027, 1)))).duplicates == 1
    assert [row.seq for row in store.facts_after(0, 10)] == [2]
    assert store.gaps() == []
    store.close()


def test_two_processes_that_need_a_month_at_once_both_commit(url: str) -> None:
    first, second = Store.open(url), Store.open(url)
    with ThreadPoolExecutor(2) as threads:
        done = [
            threads.submit(store.commit, batch(seat(seq, at(2026, 11))))
            for seq, store in enumerate((first, second), 1)
        ]
    assert [each.result().stored for each in done] == [1, 1]
    assert set(places(first).values()) == {"facts_2026_11"}
    first.close()
    second.close()
