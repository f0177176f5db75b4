"""Moving, backing up and restoring: all of it or nothing, from either database into either."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from host_bridge.contract.facts import Boot, LastBoot, Seat, Tag
from host_bridge.domain.rollout import Heard, Offered
from host_bridge.store import (
    DeadLetter,
    PlannedDesk,
    Store,
    StoreUnavailableError,
    TransferError,
    WorkerRow,
    back_up,
    bring_to,
    move,
    restore,
    transfer,
)
from host_bridge.store.engine import connect
from host_bridge.store.retention_tables import (
    forgotten,
    group_days,
    retention_runs,
    room_hours,
    settled,
)
from host_bridge.store.tables import metadata
from tests.host_bridge.store.batches import NOW, batch, incoming, seat
from tests.host_bridge.store.test_opening import revisions

NewUrl = Callable[[str], str]
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
MONTH_MS = 31 * 86_400_000


def nowhere(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""


def filled(url: str) -> str:
    """A database with something in each table."""
    store = Store.open(url)
    letter = DeadLetter(received_ms=NOW, topic="t", payload=b"\0\xff\\", reason="r\\n\té")
    store.commit(batch(seat(1), seat(2), seat(5), seat(5), letters=[letter]))
    late = Seat(unit="v", boot=1, seq=1, up=1, occupied=True)
    store.commit(batch(incoming(late, received_ms=NOW + 3 * MONTH_MS)))
    store.registry.issue("s", "ab" * 16, "headset", "Ada \\ Lovelace")
    store.registry.issue("s", "cd" * 16, "cleaner", None)
    store.plan.put("s", [PlannedDesk(unit="u", desk="A1", room="Nord", cap=None, away_ms=1)])
    store.commit(batch(incoming(Tag(unit="w", boot=1, seq=1, up=1, tag="ab" * 16))))
    boot = Boot(unit="u", boot=2, seq=1, up=1, cause="power", firmware="1",
                last=LastBoot(boot=1, ordinary=7, button=0))  # fmt: skip
    store.commit(batch(incoming(boot)))
    store.incidents.add("s", "u", boot=1, seq=1, word="heard", time_ms=NOW)
    store.modes.drill("s", "u", NOW)
    store.modes.quiet("s", "v", quiet=True)
    store.heartbeat(
        WorkerRow(worker="w", in_flight=0, queue_depth=0, last_commit_ms=None, reconnects=0,
                  updated_ms=NOW)
    )  # fmt: skip
    store.updates.offer(
        "s",
        [
            Offered(
                unit="u", bundle="ab" * 16, size=9, version=2, again=True, batch=1, offered_ms=NOW
            )
        ],
    )
    store.updates.hear(
        "s",
        Heard(unit="u", version=1, step="refused", bundle="ab" * 16, received=3, refused="space",
              message="full", time_ms=NOW),
    )  # fmt: skip
    with store._writer.begin() as connection:
        for table in (forgotten, settled, room_hours, group_days, retention_runs):
            kinds = {int: 7, str: "s", float: 1.5, bool: True}
            row = {c.name: kinds[c.type.python_type] for c in table.columns if c.name != "id"}
            connection.execute(sa.insert(table).values(row))
    with store._engine.connect() as connection:
        for table in metadata.sorted_tables:
            assert connection.execute(sa.select(table)).first() is not None, table.name
    store.close()
    return url


def content(url: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    engine = connect(url)
    with engine.connect() as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(
                sa.select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
        }  # fmt: skip
    engine.dispose()
    return found


def prove_it_goes_on(url: str) -> None:
    """New rows find their place behind the old ones."""
    store = Store.open(url)
    before = store.changed()
    last = store.facts_after(0, 100)[-1].id
    letter = DeadLetter(received_ms=NOW, topic="t", payload=b"", reason="r")
    outcome = store.commit(batch(seat(1), seat(3), letters=[letter]))
    assert (outcome.stored, outcome.duplicates) == (1, 1)
    assert store.changed() != before
    assert [row.seq for row in store.facts_after(last, 10)] == [3]
    store.registry.issue("s", "ef" * 16, "headset", "Bea")
    assert [line.difference for line in store.ledger()] == [0]
    store.close()


@pytest.mark.parametrize("kind", OTHER)
def test_what_was_moved_is_the_same_and_goes_on_there(new_url: NewUrl, kind: str) -> None:
    source, target = filled(new_url(kind)), new_url(OTHER[kind])
    steps: list[tuple[int, int]] = []
    count = move(source, target, NOW + 60_000, lambda done, total: steps.append((done, total)))
    assert steps[-1] == (count, count)
    assert content(target) == content(source)
    assert count == sum(map(len, content(source).values()))
    prove_it_goes_on(target)


def test_many_rows_are_moved_in_portions(new_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PORTION", 100)
    source, target = new_url("sqlite"), new_url("postgresql")
    store = Store.open(source)
    store.commit(batch(*(seat(seq) for seq in range(1, 1051))))
    store.close()
    steps: list[int] = []
    move(source, target, NOW, lambda done, _total: steps.append(done))
    assert len(steps) >= 11
    assert content(target) == content(source)


@pytest.mark.parametrize("kind", OTHER)
def test_a_move_that_is_broken_off_leaves_nothing_and_can_be_begun_again(
    new_url: NewUrl, kind: str
) -> None:
    source, target = filled(new_url(kind)), new_url(OTHER[kind])
    script = (
        "import os, signal, sys; from host_bridge.store import move;"
        "die = lambda done, total: done > 5 and os.kill(os.getpid(), signal.SIGKILL);"
        f"move(sys.argv[1], sys.argv[2], {NOW + 60_000}, die)"
    )
    ended = subprocess.run([sys.executable, "-c", script, source, target], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not any(content(target).values())
    move(source, target, NOW + 60_000, nowhere)
    assert content(target) == content(source)


@pytest.mark.parametrize("kind", OTHER)
def test_counts_that_differ_undo_the_move(
    new_url: NewUrl, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = filled(new_url(kind)), new_url(OTHER[kind])
    insert = transfer._insert

    def forgetful(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        insert(connection, table, rows[1:] if table.name == "facts" else rows)

    monkeypatch.setattr(transfer, "_insert", forgetful)
    with pytest.raises(TransferError, match="facts has 6 rows, and 5 of them arrived"):
        move(source, target, NOW + 60_000, nowhere)
    assert not any(content(target).values())


@pytest.mark.parametrize("kind", OTHER)
def test_a_database_that_holds_something_is_not_filled(new_url: NewUrl, kind: str) -> None:
    source, target = filled(new_url("sqlite")), filled(new_url(kind))
    before = content(target)
    with pytest.raises(TransferError, match="holds something already"):
        move(source, target, NOW + 60_000, nowhere)
    assert content(target) == before


def test_nothing_is_moved_away_from_a_relay_that_runs(new_url: NewUrl) -> None:
    source = filled(new_url("sqlite"))
    with pytest.raises(TransferError, match="w is running"):
        move(source, new_url("postgresql"), NOW + 5_000, nowhere)


@pytest.mark.parametrize("kind", OTHER)
def test_nobody_commits_to_the_source_while_it_is_moved(
    new_url: NewUrl, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host_bridge.store.sqlite.BUSY_TIMEOUT_MS", 100)
    monkeypatch.setattr("host_bridge.store.postgres.STATEMENT_S", 0.2)
    source, target = filled(new_url(kind)), new_url(OTHER[kind])
    store = Store.open(source)
    refused: list[bool] = []

    def commit(_done: int, _total: int) -> None:
        with pytest.raises(StoreUnavailableError):
            store.commit(batch(seat(9)))
        refused.append(True)

    move(source, target, NOW + 60_000, commit)
    assert refused
    store.close()


@pytest.mark.parametrize(
    ("url", "reason"), [("sqlite:////nonexistent/x.db", "does not exist"), ("same", "the same")]
)
def test_a_move_that_makes_no_sense_is_refused(new_url: NewUrl, url: str, reason: str) -> None:
    target = new_url("sqlite")
    with pytest.raises(TransferError, match=reason):
        move(target if url == "same" else url, target, NOW, nowhere)


@pytest.mark.parametrize("kind", OTHER)
@pytest.mark.parametrize("into", OTHER)
def test_a_backup_is_one_private_file_that_fits_either_database(
    new_url: NewUrl, tmp_path: Path, kind: str, into: str
) -> None:
    source, target, file = filled(new_url(kind)), new_url(into), tmp_path / "b" / "x y?.backup"
    file.parent.mkdir()
    back_up(source, file, nowhere)
    assert [(each.name, each.stat().st_mode & 0o777) for each in file.parent.iterdir()] == [
        ("x y?.backup", 0o600)
    ]
    restore(target, file, nowhere)
    assert content(target) == content(source)
    prove_it_goes_on(target)
    assert [each.name for each in file.parent.iterdir()] == ["x y?.backup"]


def test_a_backup_of_a_busy_database_is_of_one_moment(store_url: str, tmp_path: Path) -> None:
    store = Store.open(store_url)
    done = threading.Event()

    def write() -> None:
        seq = 0
        while not done.is_set():
            store.commit(batch(*(seat(seq + n) for n in range(1, 11))))
            seq += 10

    writer = threading.Thread(target=write)
    writer.start()
    while not store.facts_after(0, 1):
        time.sleep(0.01)
    for number in range(3):
        back_up(store_url, tmp_path / str(number), nowhere)
    done.set()
    writer.join()
    for number in range(3):
        copy = Store.open(f"sqlite:///{tmp_path}/{number}")
        rows = copy.facts_after(0, 1_000_000)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert sum(line.stored for line in copy.ledger()) == len(rows)
        assert copy.commit(batch(seat(len(rows)), seat(len(rows) + 1))).duplicates == 1
        copy.close()
    store.close()


def test_a_backup_of_an_older_form_is_brought_to_this_one(new_url: NewUrl, tmp_path: Path) -> None:
    source, target = filled(new_url("sqlite")), new_url("sqlite")
    back_up(source, tmp_path / "old", nowhere)
    bring_to(f"sqlite:///{tmp_path}/old", revisions()[0])
    before = (tmp_path / "old").read_bytes()
    restore(target, tmp_path / "old", nowhere)
    added = (
        "desks", "incident_records", "modes", "update_offers", "update_progress",
        "forgotten", "settled", "room_hours", "group_days", "retention_runs",
    )  # fmt: skip
    expected = content(source) | {name: [] for name in added}
    # How many commits a worker has made, and how long they took, is newer too.
    expected["workers"] = [(*row[:-2], 0, 0) for row in expected["workers"]]
    assert content(target) == expected
    assert (tmp_path / "old").read_bytes() == before


def test_no_file_is_overwritten_by_a_backup(new_url: NewUrl, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(TransferError, match="exists already"):
        back_up(filled(new_url("sqlite")), tmp_path / "there", nowhere)
    with pytest.raises(TransferError, match="can't be written"):
        back_up(filled(new_url("sqlite")), tmp_path / "no" / "folder", nowhere)
    assert (tmp_path / "there").read_text() == "mine"


def test_what_is_no_backup_or_is_damaged_is_refused(new_url: NewUrl, tmp_path: Path) -> None:
    target, file = new_url("sqlite"), tmp_path / "x"
    with pytest.raises(TransferError, match="no file"):
        restore(target, file, nowhere)
    file.write_bytes(b"hello " * 1000)
    with pytest.raises(TransferError, match="no backup"):
        restore(target, file, nowhere)
    file.unlink()
    sqlite3.connect(file).execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(TransferError, match="no backup"):
        restore(target, file, nowhere)
    file.unlink()
    back_up(filled(new_url("sqlite")), file, nowhere)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TransferError, match=r"damaged|no backup"):
        restore(target, file, nowhere)
    assert not Path(target.removeprefix("sqlite:///")).exists()
