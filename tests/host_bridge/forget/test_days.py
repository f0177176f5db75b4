"""Days are counted in the night after, and what may not be told is nowhere."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from host_bridge.cli import app
from host_bridge.domain.groups import Figures
from host_bridge.settings import Desk, Room, Settings, Site
from host_bridge.store import Store
from tests.host_bridge import site
from tests.host_bridge.forget.nights import (
    DAY,
    HOUR,
    MINUTE,
    NIGHT,
    commit,
    press,
    run,
    settings_at,
    tap,
)
from tests.host_bridge.store.desk_facts import rows

YESTERDAY = NIGHT - 3 * HOUR - DAY


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> Settings:
    """Two rooms of sixteen desks."""
    rooms = [
        Room(
            name=name,
            clearance=0,
            desks=[
                Desk(name=f"{name}{n}", unit=f"{name[0].lower()}{n}", x=n, y=y)
                for n in range(1, 17)
            ],
        )
        for y, name in enumerate(("Nord", "Sud"))
    ]
    made = settings_at(store_url, tmp_path)
    return msgspec.structs.replace(made, site=Site(name=site.NAME, rooms=rooms))


def come(store: Store, prefix: str, count: int, *, at_ms: int, first: int = 0) -> None:
    """So many agents sign in at the desks of a room, each with an own headset, and leave."""
    for number in range(1, count + 1):
        tag = f"{first + number:032x}"
        store.registry.issue(site.NAME, tag, "headset", f"Agent {first + number}")
        unit = f"{prefix}{number}"
        commit(store, tap(unit, 1, tag), at_ms + number)
        commit(store, tap(unit, 2, tag), at_ms + MINUTE + number)


@pytest.mark.parametrize("agents", [9, 10, 11])
def test_a_day_of_nine_agents_is_not_told_of_and_one_of_ten_is(store, settings, agents):
    come(store, "n", agents, at_ms=YESTERDAY + 9 * HOUR)
    commit(store, press("n1", 1, up=10**9), YESTERDAY + 9 * HOUR + 5_000)
    commit(store, press("n2", 1, drill=True), YESTERDAY + 9 * HOUR + 5_000)
    run(store, settings)
    told = {each.room: each.figures for each in store.groups.days(site.NAME) if each.figures}
    # A room with nobody in it is a small group too: its figures could be had by subtraction.
    assert told == ({} if agents < 10 else {"": Figures(agents, agents, 1)})
    written = json.dumps(rows(store, "group_days"))
    assert (f'"agents": {agents}' in written) == (agents >= 10)


def test_of_two_rooms_that_are_large_enough_both_are_told_of(store, settings):
    come(store, "n", 12, at_ms=YESTERDAY + 9 * HOUR)
    come(store, "s", 10, at_ms=YESTERDAY + 9 * HOUR, first=100)
    run(store, settings)
    run(store, settings, NIGHT + DAY)
    told = {each.room: each.figures for each in store.groups.days(site.NAME) if each.figures}
    assert told == {"": Figures(22, 22, 0), "Nord": Figures(12, 12, 0), "Sud": Figures(10, 10, 0)}


def test_a_day_is_counted_once_and_stays_when_its_taps_are_gone(store, settings):
    come(store, "n", 12, at_ms=YESTERDAY + 9 * HOUR)
    come(store, "s", 12, at_ms=YESTERDAY + 9 * HOUR, first=100)
    run(store, settings)
    before = rows(store, "group_days")["group_days"]
    for night in range(1, 6):
        run(store, settings, NIGHT + night * DAY)
    after = rows(store, "group_days")["group_days"]
    assert [row for row in after if row["day"] <= before[-1]["day"]] == before
    assert not store.facts_after(0, 10)


def test_the_report_tells_fewer_than_ten_and_in_json_nothing(store, settings, tmp_path):
    come(store, "n", 9, at_ms=YESTERDAY + 9 * HOUR)
    run(store, settings)
    file = tmp_path / "chequer.toml"
    file.write_text(f'[site]\nname = "{site.NAME}"\n[store]\nurl = "{settings.store.url}"\n')
    told = CliRunner().invoke(app, ["report", "--config", str(file)])
    assert "fewer than 10" in told.output
    told = CliRunner().invoke(app, ["report", "--json", "--config", str(file)])
    assert {row["agents"] for row in json.loads(told.output)} == {None}
    wrong = CliRunner().invoke(app, ["report", "--from", "yesterday", "--config", str(file)])
    assert wrong.exit_code == 2
