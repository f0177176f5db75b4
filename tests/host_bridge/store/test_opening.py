"""Opening, migrating, and what the connection promises."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from host_bridge.store import SchemaError, Store, StoreUnavailableError, commit, latest, sqlite
from host_bridge.store.engine import connect, migrate
from host_bridge.store.tables import metadata
from tests.host_bridge.store.batches import batch, seat
from tests.services import Postgres

# On PostgreSQL the key of a fact can't be unique over all parts (docs/architecture.md), facts lie
# by their arrival anyway, and the parts and the order of commits are not for SQLite.
ONLY_ON_SQLITE = {
    ("add_constraint", "uq_facts_site_unit_boot_lane_seq"),
    ("add_index", "ix_facts_received_ms"),
}


def belongs_to_both(thing: object, name: str | None, kind: str, *_: object) -> bool:
    apart = {"commit_order", "leases"}
    return kind != "table" or not (str(name).startswith("facts_") or name in apart)


def revisions() -> list[str]:
    folder = Path(commit.__file__).parent / "migrations" / "versions"
    return sorted(file.name[:4] for file in folder.glob("[0-9]*.py"))


def tables(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names()) - {"alembic_version"}


def test_migrations_lead_to_the_tables_that_the_code_uses(store_url: str) -> None:
    engine = connect(store_url)
    migrate(engine)
    with engine.connect() as connection:
        options = {"include_object": belongs_to_both}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    expected = ONLY_ON_SQLITE if engine.dialect.name == "postgresql" else set()
    assert {(each[0], each[1].name) for each in found} == expected
    engine.dispose()


def test_opening_applies_migrations_once(store_url: str) -> None:
    first = Store.open(store_url)
    second = Store.open(store_url)
    assert (first.applied, second.applied) == (revisions(), [])
    first.close()
    second.close()


def test_migrations_lead_back_to_an_empty_database_and_up_again(store_url: str) -> None:
    engine = connect(store_url)
    assert migrate(engine) == revisions()
    before = tables(engine)
    assert migrate(engine, "base") == revisions()[::-1]
    assert tables(engine) == set()
    assert migrate(engine) == revisions()
    assert tables(engine) == before
    engine.dispose()
    store = Store.open(store_url)
    assert store.commit(batch(seat(1))).stored == 1
    store.close()


def test_each_step_back_and_up_again_keeps_facts_and_register(store_url: str) -> None:
    store = Store.open(store_url)
    store.commit(batch(seat(1), seat(3)))
    store.registry.issue("s", "ab" * 16, "headset", "Ada")
    engine = connect(store_url)
    for revision in [*revisions()[:-1][::-1], "head"]:
        migrate(engine, revision)
    engine.dispose()
    assert [row.fact for row in store.facts_after(0, 10)] == [seat(1).fact, seat(3).fact]
    assert store.registry.record("s", "ab" * 16) is not None
    assert store.commit(batch(seat(2), seat(3))).duplicates == 1
    store.close()


def test_a_form_that_nobody_knows_is_refused(store_url: str) -> None:
    engine = connect(store_url)
    with pytest.raises(SchemaError, match="knows no form"):
        migrate(engine, "0815")
    engine.dispose()


def test_processes_that_open_a_new_database_at_once_all_succeed(store_url: str) -> None:
    script = "import sys; from host_bridge.store import Store; Store.open(sys.argv[1])"
    command = [sys.executable, "-c", script, store_url]
    started = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4


def test_opening_waits_for_another_that_is_just_making_the_database(tmp_path: Path) -> None:
    # Relay and page started together on a new file: one found it "locked" at once, because
    # SQLite doesn't wait for the switch to WAL while another connection means to write.
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE alembic_test (a)")
    ending = threading.Timer(0.5, other.execute, ("COMMIT",))
    ending.start()
    Store.open(f"sqlite:///{tmp_path}/x.db").close()
    ending.join()
    other.close()


def test_a_commit_is_flushed_to_the_disk(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/x.db")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    full = 2
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def test_a_commit_on_postgresql_is_flushed_to_the_disk_whatever_its_defaults(
    postgres: Postgres,
) -> None:
    url = postgres.database()
    plain = connect(url, patient=True)
    with plain.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        name = connection.engine.url.database
        for setting in ("synchronous_commit = off", "default_transaction_isolation = serializable"):
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET {setting}")
    plain.dispose()
    engine = connect(url)
    with engine.connect() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("fsync", "synchronous_commit", "transaction_isolation", "lock_timeout")
        }
    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "transaction_isolation": "read committed",
        "lock_timeout": "8s",
    }
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(store_url: str) -> None:
    Store.open(store_url).close()
    engine = connect(store_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(SchemaError, match="newer Chequer"):
        Store.open(store_url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://u:secret@h/d",
        "sqlite://",
        "postgresql+asyncpg://u:secret@h/d",
        "postgresql://u:secret@h",
    ],
)
def test_a_url_that_is_none_of_ours_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"hello " * 1000)
    with pytest.raises(StoreUnavailableError, match="not a database"):
        Store.open(f"sqlite:///{tmp_path}/x.db")


@pytest.mark.parametrize(
    "query", [commit._FACTS_OF, commit._LETTERS_OF, latest._BOOTS, latest._FACTS]
)
def test_rows_of_a_stream_are_looked_up_by_an_index(tmp_path: Path, query: sa.Select[Any]) -> None:
    # Regression: `(a, b) IN (VALUES ...)` reads well and scans the whole table on SQLite, so that
    # each duplicate cost more the more facts there were.
    engine = connect(f"sqlite:///{tmp_path}/x.db")
    migrate(engine)
    values = {"site": "s", "unit": "u", "boot": 1, "lane": "ordinary", "numbers": [1, 2]}
    values |= {"types": ["press"], "before_id": 9, "limit": 5}
    asked = {each: value for each, value in values.items() if each in query.compile().params}
    text = query.params(**asked).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert [step[3].split(" ")[0] for step in plan] == ["SEARCH"], plan


def test_spans_of_many_streams_are_looked_up_by_an_index(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/x.db")
    migrate(engine)
    text = sqlite._SPANS_OF.format("('s', 'u', 1, 'ordinary'), ('s', 'u', 2, 'ordinary')")
    with engine.connect() as connection:
        plan = [step[3] for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert any(step.startswith("SEARCH s ") for step in plan), plan
    assert not any(step.startswith("SCAN s") for step in plan), plan


def test_a_commit_on_postgresql_looks_keys_up_by_an_index(postgres: Postgres) -> None:
    store = Store.open(postgres.database())
    store.commit(batch(*(seat(seq) for seq in range(1, 2001))))
    values = {"site": "s", "unit": "u", "boot": 1, "lane": "ordinary", "numbers": [1, 2]}
    with store._engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE facts")
        text = commit._FACTS_OF.params(**values).compile(
            store._engine, compile_kwargs={"literal_binds": True}
        )
        plan = connection.exec_driver_sql(f"EXPLAIN {text}").scalars().all()
    assert any("Index Scan using uq_facts_2025_10" in step for step in plan), plan
    store.close()
