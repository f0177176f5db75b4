"""`chequer report` as a user calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.domain.groups import SITE, Figures
from host_bridge.store import DayFigures, Store

ROOM = "The hall with the long name"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A database with a day of which one room may be told, and one not."""
    file, url = tmp_path / "chequer.toml", f"sqlite:///{tmp_path}/chequer.db"
    file.write_text(f'[site]\nname = "s"\n[store]\nurl = "{url}"\n')
    store = Store.open(url)
    for day in ("2026-11-20", "2026-11-21"):
        told = {ROOM: Figures(12, 30, 2), "Small": None, SITE: Figures(31, 60, 3)}
        store.groups.put(
            "s",
            [
                DayFigures(day=day, room=room, threshold=10, figures=figures)
                for room, figures in told.items()
            ],
        )
    store.close()
    return file


def report(config: Path, *words: str, columns: int = 20) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "COLUMNS": str(columns)}
    environment.pop("CHEQUER_STORE_URL", None)
    command = [sys.executable, "-m", "host_bridge", "report", "--config", str(config), *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_programs_can_read_it_however_narrow_the_terminal_is(config: Path) -> None:
    done = report(config, "--json", "--from", "2026-11-21")
    assert done.returncode == 0, done.stderr
    rows = {row["room"]: row for row in json.loads(done.stdout)}
    assert rows.keys() == {None, ROOM, "Small"}
    assert {row["day"] for row in rows.values()} == {"2026-11-21"}
    figures = {name: [row[f] for f in Figures._fields] for name, row in rows.items()}
    assert figures == {None: [31, 60, 3], ROOM: [12, 30, 2], "Small": [None, None, None]}


def test_a_day_that_is_none_is_named(config: Path) -> None:
    done = report(config, "--to", "2026-13-01")
    assert done.returncode == 2
    assert "2026-13-01" in done.stderr


def test_a_small_group_is_only_said_to_be_small(config: Path) -> None:
    done = report(config, "--to", "2026-11-20", columns=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fewer than 10") == 1
    assert ROOM in done.stdout
    assert "2026-11-21" not in done.stdout
