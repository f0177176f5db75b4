"""Opening, migrating, and what the connection promises."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from host_bridge.store import SchemaError, Store, StoreUnavailableError, commit
from host_bridge.store.engine import connect, migrate
from host_bridge.store.tables import metadata


def test_migrations_lead_to_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/x.db")
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_applies_migrations_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    first = Store.open(url)
    second = Store.open(url)
    assert (first.applied, second.applied) == (["0001", "0002", "0003"], [])
    first.close()
    second.close()


def test_processes_that_open_a_new_database_at_once_all_succeed(tmp_path: Path) -> None:
    script = f"from host_bridge.store import Store; Store.open('sqlite:///{tmp_path}/x.db')"
    started = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
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


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    Store.open(url).close()
    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="newer Chequer"):
        Store.open(url)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:secret@h/d", "sqlite://"])
def test_a_url_that_is_none_of_ours_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"hello " * 1000)
    with pytest.raises(StoreUnavailableError, match="not a database"):
        Store.open(f"sqlite:///{tmp_path}/x.db")


@pytest.mark.parametrize("name", ["_SPANS_OF", "_FACTS_OF", "_LETTERS_OF"])
def test_a_commit_looks_rows_up_by_an_index(tmp_path: Path, name: str) -> None:
    # Regression: `(a, b) IN (VALUES ...)` reads well and scans the whole table on SQLite, so that
    # each duplicate cost more the more facts there were.
    engine = connect(f"sqlite:///{tmp_path}/x.db")
    migrate(engine)
    values = {"site": "s", "unit": "u", "boot": 1, "lane": "button", "numbers": [1, 2]}
    query = getattr(commit, name)
    asked = {each: value for each, value in values.items() if each in query.compile().params}
    text = query.params(**asked).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert [step[3].split(" ")[0] for step in plan] == ["SEARCH"], plan
