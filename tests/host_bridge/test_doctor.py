"""`chequer doctor` on real things: a broker, databases, ports, files."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge import doctor
from host_bridge.clock import SYSTEM
from host_bridge.doctor import Finding, examine
from host_bridge.forget import forget
from host_bridge.settings import load
from host_bridge.store import Store
from tests.host_bridge.store.batches import batch, seat
from tests.services import Mosquitto, free_port


def written(folder: Path, broker: int, url: str, web: int) -> Path:
    file = folder / "chequer.toml"
    file.write_text(
        f'[broker]\nport = {broker}\n[store]\nurl = "{url}"\n[web]\nport = {web}\n'
        '[site]\nname = "s"\n'
        '[[site.rooms]]\nname = "r"\n[[site.rooms.desks]]\nname = "A"\nunit = "a"\nx = 0\ny = 0\n'
    )
    return file


def by_check(file: Path) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(file)}


def test_where_all_is_well_nothing_fails_and_the_broker_tells_its_limits(
    tmp_path, mosquitto, store_url
):
    Store.open(store_url).close()
    found = by_check(written(tmp_path, mosquitto.port, store_url, free_port()))
    assert not [each for each in found.values() if each.outcome == "fail"]
    assert found["database"].outcome == "ok"
    assert "mosquitto version" in found["broker"].what
    assert "In flight towards it: 1000" in found["broker"].what


def test_each_fault_is_named_with_what_to_do_and_hides_no_other(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"postgresql+psycopg://chequer:secret-word@127.0.0.1:{free_port()}/c"
        file = written(tmp_path, free_port(), url, taken.getsockname()[1])
        file.chmod(0o644)
        found = by_check(file)
    outcomes = {name: each.outcome for name, each in found.items()}
    assert {outcomes[name] for name in ("broker", "database", "port")} == {"fail"}
    assert outcomes["permissions"] == "warn"
    assert all(each.do for each in found.values() if each.outcome != "ok")
    assert "secret-word" not in repr(found)


def test_a_database_of_another_form_is_told_and_left_as_it_is(tmp_path, store_url):
    from host_bridge.store import bring_to

    Store.open(store_url).close()
    file = written(tmp_path, free_port(), store_url, free_port())
    bring_to(store_url, "0002")
    older = by_check(file)["database"]
    assert (older.outcome, older.do) == ("warn", "chequer backup, then chequer migrate.")
    assert by_check(file)["database"] == older


def test_a_table_that_is_not_what_the_facts_say_is_told(tmp_path, store_url):
    store = Store.open(store_url)
    store.commit(batch(seat(1)))
    file = written(tmp_path, free_port(), store_url, free_port())
    assert by_check(file)["tables"].outcome == "ok"
    with store._writer.begin() as connection:
        connection.exec_driver_sql("UPDATE unit_states SET boot = 9")
    found = by_check(file)["tables"]
    assert (found.outcome, "chequer rebuild" in found.do) == ("warn", True)
    store.close()


def test_a_deletion_that_is_overdue_is_told_and_one_that_was_done_is_well(tmp_path, store_url):
    store = Store.open(store_url)
    file = written(tmp_path, free_port(), store_url, free_port())
    nothing = by_check(file)["deletion"]
    assert (nothing.outcome, nothing.what) == (
        "ok", "There was none yet; 0 rows are over their time.",
    )  # fmt: skip
    store.commit(batch(seat(1), seat(2)))  # of last year
    late = by_check(file)["deletion"]
    assert (late.outcome, "chequer forget" in late.do) == ("warn", True)
    assert "2 rows are over" in late.what
    now = SYSTEM.unix_ms()
    for _ in forget(store, load(file), now - doctor.OVERDUE_MS - 1, clock_is_right=True):
        pass
    store.commit(batch(seat(3)))
    assert by_check(file)["deletion"].what.startswith("The last one was 30 hours ago; 1 rows")
    assert by_check(file)["deletion"].outcome == "warn"
    for _ in forget(store, load(file), now, clock_is_right=True):
        pass
    well = by_check(file)["deletion"]
    assert (well.outcome, well.what) == (
        "ok", "The last one was 0 hours ago; 0 rows are over their time.",
    )  # fmt: skip
    store.close()


def test_what_a_damaged_database_does_not_tell_fails_and_the_rest_is_still_looked_at(
    tmp_path, store_url
):
    store = Store.open(store_url)
    with store._writer.begin() as connection:
        connection.exec_driver_sql("DROP TABLE retention_runs")
    store.close()
    found = by_check(written(tmp_path, free_port(), store_url, free_port()))
    assert (found["tables"].outcome, found["deletion"].outcome) == ("ok", "fail")
    assert "retention_runs" in found["deletion"].what


def test_a_full_disk_fails_and_a_rather_full_one_warns(tmp_path, monkeypatch):
    file = written(tmp_path, free_port(), f"sqlite:///{tmp_path}/c.db", free_port())
    for free, outcome in ((doctor.DISK_FAIL - 1, "fail"), (doctor.DISK_WARN - 1, "warn")):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _, u=usage: u)
        assert by_check(file)["disk"].outcome == outcome


@pytest.mark.parametrize(("state", "outcome"), [(True, "ok"), (False, "warn"), (None, "warn")])
def test_what_the_kernel_says_of_the_clock_is_passed_on(tmp_path, monkeypatch, state, outcome):
    monkeypatch.setattr(doctor, "_synchronised", lambda: state)
    file = written(tmp_path, free_port(), f"sqlite:///{tmp_path}/c.db", free_port())
    assert by_check(file)["clock"].outcome == outcome


def test_the_kernel_can_be_asked_here():
    assert doctor._synchronised() in {True, False}


def run(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "host_bridge", "doctor", "--config", str(file), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_exit_code_says_whether_anything_fails_and_json_is_for_programs(
    tmp_path, mosquitto: Mosquitto
):
    file = written(tmp_path, mosquitto.port, f"sqlite:///{tmp_path}/c.db", free_port())
    well = run(file, "--json")
    assert well.returncode == 0, well.stderr
    assert {"version", "settings", "database", "disk", "clock", "broker", "port"} <= {
        each["check"] for each in json.loads(well.stdout)
    }
    mosquitto.stop()
    ill = run(file)
    assert (ill.returncode, "Not in order: broker." in ill.stderr) == (1, True)
    assert not (tmp_path / "c.db").exists()
    file.write_text("[broker]\nport = 'x'\n")
    wrong = run(file, "--json")
    assert wrong.returncode == 1
    assert f"{file}:2: " in wrong.stdout
