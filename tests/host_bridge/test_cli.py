"""The command line: exit codes, one sentence per error, and documents that keep up."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main

from host_bridge import cli
from host_bridge.store import Batch, DeadLetter, Store
from tests.host_bridge import site
from tests.host_bridge.host_process import Host
from tests.host_bridge.store.batches import batch, seat
from tests.services import free_port, wait_for_port

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
TAG = "ab" * 16


class Shell:
    """Runs commands in this process, on a configuration of the test's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = f"sqlite:///{folder}/chequer.db"
        self.config = folder / "chequer.toml"
        self.config.write_text(f'[store]\nurl = "{self.url}"\n[site]\nname = "s"\n')
        self._monkeypatch = monkeypatch

    def run(self, *command: str) -> int:
        arguments = ["chequer", *command, "--config", str(self.config)]
        self._monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(tmp_path, monkeypatch)


def commands(group: Any, before: str = "chequer") -> dict[str, Any]:
    """Every command by its words."""
    found = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found.update(commands(command, f"{before} {name}"))
        else:
            found[f"{before} {name}"] = command
    return found


COMMANDS = commands(typer.main.get_command(cli.app))


def test_the_operations_manual_names_every_command_and_no_other() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    table = text.partition("## Processes")[2].partition("exit code")[0]
    assert set(re.findall(r"`(chequer [a-z -]+)`", table)) == set(COMMANDS)


def test_the_operations_manual_explains_every_exit_code() -> None:
    codes = {0, cli.AMISS, cli.USAGE, cli.DATABASE, cli.BROKER, cli.IN_HAND}
    text = OPERATIONS.read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d) \|", text, re.MULTILINE)} == codes


def test_every_command_takes_a_configuration() -> None:
    # `provision` works at a bench that has neither broker nor database; each scenario that
    # `simulate` tells brings its own.
    for words, command in COMMANDS.items():
        # `update key` and `update build` run where releases are made, which may be anywhere.
        if words not in {
            "chequer provision", "chequer simulate", "chequer update key", "chequer update build",
        }:  # fmt: skip
            assert "--config" in [option for each in command.params for option in each.opts], words


def test_migrate_says_what_it_did(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run("migrate") == 0
    assert "Applied: 0001, 0002, 0003, 0004, 0005, 0006, 0007." in capsys.readouterr().out
    assert shell.run("migrate") == 0
    assert "up to date" in capsys.readouterr().out


def test_migrate_goes_back_to_a_form_but_never_to_nothing(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run("migrate") == 0
    assert shell.run("migrate", "--to", "0001") == 0
    assert shell.run("migrate", "--to", "0001") == 0
    assert "It has that form already." in capsys.readouterr().out
    assert shell.run("migrate", "--to", "base") == cli.DATABASE
    assert "would delete everything" in capsys.readouterr().err
    assert shell.run("migrate") == 0


def test_a_database_is_moved_backed_up_and_restored(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tags.csv"
    path.write_text(f"tag,kind,holder\n{TAG},headset,Ada\n")
    assert shell.run("registry", "import", str(path)) == 0
    assert shell.run("backup", str(tmp_path / "copy")) == 0
    assert shell.run("backup", str(tmp_path / "copy")) == cli.DATABASE
    error = capsys.readouterr().err
    assert error.endswith("exists already.\n")
    assert error.count("\n") == 1
    assert shell.run("move", "--to", f"sqlite:///{tmp_path}/moved.db") == 0
    assert "2 rows were moved and counted." in capsys.readouterr().out
    assert shell.run("restore", str(tmp_path / "copy")) == cli.DATABASE
    assert "holds something already" in capsys.readouterr().err
    Path(shell.url.removeprefix("sqlite:///")).unlink()
    assert shell.run("restore", str(tmp_path / "copy")) == 0
    for url in (shell.url, f"sqlite:///{tmp_path}/moved.db"):
        store = Store.open(url)
        assert store.registry.record("s", TAG) is not None
        store.close()


def test_rebuild_checks_names_what_differs_and_mends_it(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(shell.url)
    store.commit(batch(seat(1)))
    with store._writer.begin() as connection:
        connection.exec_driver_sql("UPDATE unit_states SET occupied = false")
    assert shell.run("rebuild", "--check") == cli.AMISS
    told = capsys.readouterr()
    assert "unit_states, s/u: it says {'occupied': False}" in told.out
    assert "chequer rebuild mends them" in told.err
    assert shell.run("rebuild") == 0
    assert "1 rows mended." in capsys.readouterr().out
    assert store.plan.of("s") == []  # these settings have no desks
    assert shell.run("rebuild", "--check") == 0
    assert "All is as the facts say." in capsys.readouterr().out
    store.close()


def test_wrong_settings_are_one_sentence(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.config.write_text("[broker]\nport = 0\n")
    assert shell.run("ledger") == cli.USAGE
    error = capsys.readouterr().err
    assert error.startswith(str(shell.config))
    assert error.count("\n") == 1


def test_a_database_that_is_none_is_one_sentence(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.config.write_text('[store]\nurl = "nonsense"\n')
    assert shell.run("ledger") == cli.DATABASE
    assert capsys.readouterr().err.count("\n") == 1


def test_the_embedded_broker_refuses_to_serve_the_network(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.config.write_text('[broker]\nhost = "0.0.0.0"\n')
    assert shell.run("broker") == cli.BROKER
    assert "127.0.0.1 only" in capsys.readouterr().err


def test_a_ledger_that_does_not_add_up_is_an_error(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(shell.url)
    assert shell.run("ledger") == 0
    store.commit(Batch(worker="w", received=3, facts=[], dead_letters=[]))
    store.close()
    assert shell.run("ledger") == cli.AMISS
    assert "does not add up" in capsys.readouterr().err


def test_the_register_takes_entries_of_the_settings_site(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text(f"tag,kind,holder\n{TAG},headset,Ada\n")
    assert shell.run("registry", "import", str(path)) == 0
    assert shell.run("registry", "issue", "cd" * 16, "cleaner") == 0
    assert shell.run("registry", "issue", "04A1B2C3", "cleaner") == cli.USAGE
    store = Store.open(shell.url)
    assert store.registry.record("s", TAG) is not None
    assert store.registry.record("s", "cd" * 16) is not None
    store.close()


def test_dead_letters_are_shown_without_tags_and_control_characters(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = f"\x1b[2J{TAG}".encode() + b"\xff"
    letter = DeadLetter(received_ms=0, topic="[red]t", payload=payload, reason="r")
    store = Store.open(shell.url)
    store.commit(Batch(worker="w", received=1, facts=[], dead_letters=[letter]))
    store.close()
    assert shell.run("dead-letters", "list") == 0
    assert "[red]t" in capsys.readouterr().out
    assert shell.run("dead-letters", "show", "1") == 0
    output = capsys.readouterr().out
    assert "(a tag's hash)\\xff" in output
    assert "\x1b[2J" not in output
    assert TAG not in output
    assert shell.run("dead-letters", "show", "2") == cli.AMISS


def test_a_broker_on_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    with Host(tmp_path, port) as host:
        first = host.start("broker")
        wait_for_port(port)
        assert host.start("broker").wait(20) == cli.BROKER
        first.send_signal(signal.SIGINT)
        assert first.wait(10) == 0
        assert "is another one running?" in host.log.read_text()
        assert "Traceback" not in host.log.read_text()


def test_python_m_host_bridge_is_the_command_line() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "host_bridge", "--help"], capture_output=True, check=True
    )
    assert b"relay" in ran.stdout


def test_incidents_are_listed_without_practice_and_hearing_one_is_a_record(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(shell.url)
    practice = msgspec.structs.replace(site.press("u2", 1), drill=True)
    site.commit(store, site.press("u1", 1), site.press("u1", 2), practice, site="s")
    assert shell.run("incidents", "list") == 0
    listed = capsys.readouterr().out
    assert (listed.count("u1"), listed.count("u2"), listed.count("new")) == (1, 0, 1)
    assert shell.run("incidents", "list", "--drill") == 0
    assert "u2" in capsys.readouterr().out
    assert shell.run("incidents", "hear", "1") == 0
    assert shell.run("incidents", "hear", "1") == 0
    (record,) = store.incidents.records("s")
    assert (record.unit, record.seq, record.word) == ("u1", 2, "heard")
    capsys.readouterr()
    assert shell.run("incidents", "list") == 0
    assert "heard" in capsys.readouterr().out
    assert shell.run("incidents", "hear", "99") == cli.AMISS
    store.close()


def test_a_drill_is_until_a_time_and_can_be_ended(shell: Shell) -> None:
    desks = '[[site.rooms]]\nname = "R"\ndesks = [{ name = "A1", unit = "u1", x = 0, y = 0 }]\n'
    shell.config.write_text(shell.config.read_text() + desks)
    assert shell.run("units", "drill", "u1", "--minutes", "5") == 0
    assert shell.run("units", "quiet", "u1") == 0
    store = Store.open(shell.url)
    mode = store.modes.all("s")["u1"]
    assert mode.drill_until_ms is not None
    assert (0 < mode.drill_until_ms - site.now_ms() <= 300_000, mode.quiet) == (True, True)
    assert shell.run("units", "drill", "u1", "--minutes", "0") == 0
    assert shell.run("units", "quiet", "u1", "--off") == 0
    mode = store.modes.all("s")["u1"]
    assert (mode.drill_until_ms, mode.quiet) == (None, False)
    assert shell.run("units", "drill", "nowhere") == cli.USAGE
    store.close()


@pytest.mark.parametrize("line", ['timezone = "Mars/Base"', "night = [20, 24]", "night = [20]"])
def test_times_of_the_site_that_make_no_sense_are_refused(shell: Shell, line: str) -> None:
    shell.config.write_text(shell.config.read_text() + line + "\n")
    assert shell.run("incidents", "list") == cli.USAGE
