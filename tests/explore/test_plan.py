"""Stories by chance, and what becomes of them when they are made short."""

from pathlib import Path

import pytest

from sim.explore.chance import plan
from sim.explore.plan import Plan, scenario
from sim.explore.shrink import shrunk
from sim.explore.troubles import TROUBLES, Dice, told
from sim.faults.catalogue import CATALOGUE
from sim.scenario.phrase import Names, understand
from sim.scenario.read import read
from sim.scenario.site import Cards, People


def says(plan: Plan, text: str) -> bool:
    return any(text in line.said for each in plan.happenings for line in each.lines)


def test_a_seed_always_tells_the_same_story() -> None:
    assert [plan(seed) for seed in range(50)] == [plan(seed) for seed in range(50)]


def test_every_story_makes_sense_as_a_scenario_file(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    for seed in range(300):
        file.write_text(scenario(plan(seed), "Chance", ["Nothing broke."]))
        assert read(file).steps


def test_every_fault_that_virtual_time_can_tell_is_drawn() -> None:
    told = {(fault.place, fault.name) for fault in CATALOGUE if fault.told != "real"}
    assert set(TROUBLES) == told


@pytest.mark.parametrize("name", TROUBLES, ids=" ".join)
def test_a_fault_that_is_drawn_is_said_as_the_catalogue_says_it(name: tuple[str, str]) -> None:
    (fault,) = (each for each in CATALOGUE if (each.place, each.name) == name)
    names = Names(people=[], desks=["A1", "B1"], rooms=[], cards=Cards(People(), 1))
    wanted = understand(fault.sentence, names).phrase
    for seed in range(20):
        lines = told(Dice(seed), name, "B1")
        assert wanted in [understand(line.said, names).phrase for line in lines]


def test_some_stories_are_a_models_day_and_it_goes_when_it_is_not_needed() -> None:
    days = [plan(seed) for seed in range(100) if plan(seed).day]
    assert 3 < len(days) < 25
    long = next(each for each in days if each.happenings)
    assert shrunk(long, lambda shorter: bool(shorter.happenings)).plan.day is None


def test_three_hundred_seeds_use_every_kind_of_fault_and_deed() -> None:
    said = "\n".join(scenario(plan(seed), "Chance", []) for seed in range(300))
    for words in (
        "presses the button",
        "holds the button",
        "hammers the button",
        "badges in",
        "leaves",
        "repeat",
        "network of A1 is lost",
        "broker is killed",
        "broker stalls",
        "die at store.in-transaction",
        "die at relay.after-ack",
        "director is killed",
        "database is locked",
        "power of A1 is cut",
        "more bytes of flash",
        "everything is restarted",
        "reader of A1 is missing",
        "clock jumps back",
        "garbage arrives",
    ):
        assert words in said, words


def test_what_is_not_needed_is_left_out() -> None:
    def fails(plan: Plan) -> bool:
        return says(plan, "presses the button at A1") and says(plan, "relay is killed")

    long = next(plan(seed) for seed in range(1000) if fails(plan(seed)))
    short = shrunk(long, fails)
    assert short.whole
    assert short.plan.length == 2
    assert short.plan.desks == ("A1",)
    assert len(short.plan.people.names) == 1


def test_the_same_story_shrinks_to_the_same() -> None:
    def fails(plan: Plan) -> bool:
        return says(plan, "button")

    long = next(plan(seed) for seed in range(1000) if fails(plan(seed)))
    assert shrunk(long, fails) == shrunk(long, fails)


def test_figures_become_as_small_as_the_failure_lets_them() -> None:
    def fails(plan: Plan) -> bool:
        lines = [line for each in plan.happenings for line in each.lines if line.inside]
        return any(line.value >= 9 for line in lines)

    long = next(plan(seed) for seed in range(1000) if fails(plan(seed)))
    (happening,) = shrunk(long, fails).plan.happenings
    (line,) = happening.lines
    assert line.said == "repeat 9 times every 2s"


def test_shrinking_ends_after_so_many_tellings_with_the_best_so_far() -> None:
    told = []

    def fails(plan: Plan) -> bool:
        told.append(plan)
        return True

    short = shrunk(plan(3), fails, most=2)
    assert len(told) == short.tellings == 2
    assert not short.whole
    assert short.plan == told[-1]
