"""People in a room do what the plan says, at desks that may be used; on paper, in no time."""

import asyncio
from pathlib import Path

from sim.crew import crew
from sim.room import Room
from sim.vm import VmError
from sim.worlds.action import Action, Deed
from tests.sim.scenario.paper import PaperClock, PaperUnit, told


class Desks:
    """Desks on paper that show what a host would make them show, as far as people care."""

    def __init__(self, *names: str) -> None:
        self.clock = PaperClock()
        self.log: list[str] = []
        self.said: list[tuple[str, str, str | None]] = []
        self.shown = dict.fromkeys(names, "FREE")
        self.units = {name: self._unit(name) for name in names}
        self.room = Room(
            self.units, self.clock, crew(1), badge_first=True,
            tell=lambda kind, text, desk: self.said.append((kind, text, desk)),
        )  # fmt: skip

    def _unit(self, name: str) -> PaperUnit:
        log = _Named(name, self.log)
        unit = PaperUnit(self.clock, log)
        unit.says = lambda _: self.shown[name]
        return unit

    def live(self, *actions: Action, speed: float = 1.0) -> list[str]:
        asyncio.run(self.room.live(actions, speed))
        return [line.split(" ", 1)[1] for line in self.log]


class _Named(list[str]):
    def __init__(self, name: str, log: list[str]) -> None:
        super().__init__()
        self._name, self._log = name, log

    def append(self, line: str) -> None:
        at, what = line.split(" ", 1)
        self._log.append(f"{at} {self._name} {what}")


def act(at_s: float, deed: Deed, desk: int = 0, who: int = 0, **more: int) -> Action:
    return Action(at_ms=round(at_s * 1000), desk=desk, deed=deed, who=who, **more)


IN = {"ms": 400, "gap_ms": 1000}


def test_whoever_badges_in_shows_badge_then_headset_and_sits_down() -> None:
    desks = Desks("A1")
    did = desks.live(act(0, Deed.BADGE_IN, **IN), act(0.1, Deed.SIT))
    assert did == ["A1 moving", "A1 put", "A1 take", "A1 put", "A1 take", "A1 still"]


def test_whoever_finds_the_desk_blocked_takes_the_next_that_is_free() -> None:
    desks = Desks("A1", "A2", "A3")
    desks.shown |= {"A1": "BLOCKED", "A2": "DIRTY"}
    did = desks.live(act(0, Deed.SIT), act(5, Deed.GET_UP), act(9, Deed.SIT), act(20, Deed.LEAVE))
    assert {line.split()[0] for line in did} == {"A3"}


def test_two_people_never_share_a_desk_and_who_finds_none_is_told_of() -> None:
    desks = Desks("A1")
    desks.live(act(0, Deed.SIT, who=0), act(0, Deed.SIT, who=1), act(1, Deed.PRESS, who=1, ms=100))
    assert ("note", "somebody finds no free desk", None) in desks.said
    assert not any(kind == "press" for kind, _, _ in desks.said)


def test_whoever_finds_the_own_desk_still_kept_does_not_tap_for_that_would_be_leaving() -> None:
    desks = Desks("A1")
    desks.live(
        act(0, Deed.BADGE_IN, **IN), act(4, Deed.SIT), act(200, Deed.STEP_OUT),
    )  # fmt: skip
    desks.shown["A1"] = "RESERVED"
    before = sum("put" in line for line in desks.log)
    desks.live(act(230, Deed.BADGE_IN, **IN), act(231, Deed.SIT))
    assert sum("put" in line for line in desks.log) == before
    desks.live(act(400, Deed.STEP_OUT))
    desks.shown["A1"] = "DIRTY"
    desks.live(act(900, Deed.BADGE_IN, **IN))
    assert sum("put" in line for line in desks.log) == before + 2


def test_so_soon_after_a_report_nobody_taps_to_leave_for_that_would_withdraw_it() -> None:
    desks = Desks("A1")
    start = act(0, Deed.BADGE_IN, **IN), act(3, Deed.SIT)
    desks.live(*start, act(200, Deed.PRESS, ms=100), act(210, Deed.LEAVE, ms=400))
    assert sum("put" in line for line in desks.log) == 2
    desks.live(*start, act(200, Deed.PRESS, ms=100), act(340, Deed.LEAVE, ms=400))
    assert sum("put" in line for line in desks.log) == 2 + 3


def test_a_slip_is_withdrawn_with_the_own_headset() -> None:
    desks = Desks("A1")
    desks.live(
        act(0, Deed.BADGE_IN, **IN), act(3, Deed.SIT),
        act(9, Deed.PRESS, ms=100), act(20, Deed.WITHDRAW, ms=400),
    )  # fmt: skip
    assert ("tap", "withdraws a slip", "A1") in desks.said


def test_cleaners_clean_what_shows_that_it_is_dirty_and_nothing_else() -> None:
    desks = Desks("A1", "A2")
    desks.shown["A2"] = "DIRTY"
    assert desks.live(act(0, Deed.CLEAN, who=1, ms=400)) == ["A2 put", "A2 take"]
    desks.shown["A2"] = "FREE"
    desks.log.clear()
    assert desks.live(act(0, Deed.CLEAN, who=1, ms=400)) == []


def test_walking_past_somebody_who_sits_changes_nothing_and_past_nobody_is_seen() -> None:
    desks = Desks("A1", "A2")
    did = desks.live(
        act(0, Deed.SIT), act(5, Deed.PASS_BY, who=-1, ms=2000),
        act(6, Deed.PASS_BY, desk=1, who=-1, ms=2000),
        act(20, Deed.MISS, who=-1, ms=3000),
    )  # fmt: skip
    assert did == ["A1 still", "A2 moving", "A2 none", "A1 none", "A1 still"]


def test_a_faster_day_keeps_the_order_of_what_each_person_does() -> None:
    desks = Desks("A1")
    did = desks.live(
        act(0, Deed.BADGE_IN, **IN), act(10, Deed.SIT), act(600, Deed.GET_UP), act(660, Deed.SIT),
        act(1200, Deed.LEAVE), speed=1000,
    )  # fmt: skip
    assert did[5:] == ["A1 still", "A1 moving", "A1 none", "A1 still", "A1 moving", "A1 none"]


def test_a_desk_without_power_is_told_of_and_the_others_go_on() -> None:
    desks = Desks("A1", "A2")

    async def fails(ms: int = 120) -> None:
        raise VmError("a1 has no power")

    desks.units["A1"].press = fails  # type: ignore[method-assign]
    desks.live(
        act(0, Deed.SIT), act(0, Deed.SIT, desk=1, who=1),
        act(1, Deed.PRESS, ms=100), act(2, Deed.PRESS, desk=1, who=1, ms=100),
    )  # fmt: skip
    assert ("note", "presses: a1 has no power", "A1") in desks.said
    assert desks.log[-1].endswith("A2 press")


def test_nothing_that_is_told_names_anybody() -> None:
    desks = Desks("A1")
    desks.live(act(0, Deed.BADGE_IN, other=1, **IN), act(9, Deed.SIT), act(300, Deed.LEAVE, ms=300))
    people = crew(1)
    for secret in [p for each in people.people for p in (each.name, each.badge, each.headset)]:
        assert not any(secret in text for _, text, _ in desks.said)


WORLD = "world:\n  agents: 1\n  hours: 0.5\n  abusive share: 100 %\n  calls per hour: 40\n"


def test_a_world_is_lived_beside_the_story_which_ends_when_both_have(tmp_path: Path) -> None:
    failures, log, record = told(tmp_path, f"  - wait 1s\n{WORLD}")
    assert not failures
    assert next(event.text for event in record.events if event.kind == "seat") == "sits down"
    assert float(log[-1].split()[0]) > 20 * 60
    assert any("presses" in event.text for event in record.events)
