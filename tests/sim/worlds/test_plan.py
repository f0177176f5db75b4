"""What a plan must be, whatever the seed: the same from the same seed, and possible."""

import hashlib
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.demo import SPEED, day_of
from sim.vm import ROOT
from sim.worlds.action import Action, Deed, encode
from sim.worlds.calls import calls
from sim.worlds.day import DAY_S, Plan, ms_of, plan
from sim.worlds.habits import habits_of
from sim.worlds.model import LEAD_S, Model, Size
from sim.worlds.roster import roster
from sim.worlds.streams import Purpose, Streams

SIZES = [
    Size(seats=20, agents=26, cleaners=2, hours=8),
    Size(seats=10, agents=30, cleaners=1, hours=14, days=3),
    Size(seats=1, agents=1, cleaners=0, hours=0.5),
    Size(seats=30, agents=30, cleaners=1, hours=1, kind="shift change"),
]
KNOWN = "586ecfe66740cad958c0c11c67331ceaa633db952559d7e7b01eecb047c233cc"
"""Of the first size and seed 7. It changes with the model, and only then: look why."""

sizes = st.builds(
    Size,
    kind=st.sampled_from(["day", "shift change"]),
    seats=st.integers(1, 12),
    agents=st.integers(1, 16),
    cleaners=st.integers(0, 2),
    hours=st.floats(0.5, 14),
    days=st.integers(1, 3),
)
models = st.builds(
    Model,
    size=sizes,
    forgets_badge=st.floats(0, 1),
    forgets_tap_out=st.floats(0, 1),
    neighbour=st.floats(0, 1),
    wrong_headset=st.floats(0, 1),
    abusive=st.floats(0, 1),
    visitors=st.floats(0, 2),
    slips=st.floats(0, 2),
)


def digest(made: Plan) -> str:
    return hashlib.sha256(encode(made.actions)).hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    model = Model(size=SIZES[0])
    code = (
        "import hashlib; from sim.worlds.action import encode; from sim.worlds.day import plan;"
        "from sim.worlds.model import Model, Size;"
        "made = plan(Model(size=Size(seats=20, agents=26, cleaners=2, hours=8)), 7);"
        "print(hashlib.sha256(encode(made.actions)).hexdigest())"
    )
    words = [sys.executable, "-c", code]
    other = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert other.stdout.strip() == digest(plan(model, 7)) == KNOWN
    assert len({digest(plan(model, seed)) for seed in range(10)}) == 10


def test_a_stream_is_the_same_whoever_asked_before() -> None:
    model, fresh, used = Model(size=SIZES[1]), Streams(3), Streams(3)
    for purpose in Purpose:
        used.of(purpose, 1, 2).random(100)
    habits = [habits_of(model, used, agent) for agent in reversed(range(30))][::-1]
    assert habits == [habits_of(model, fresh, agent) for agent in range(30)]
    last, first = roster(model, used, habits, 2), roster(model, fresh, habits, 0)
    assert last == roster(model, fresh, habits, 2)
    assert calls(model, used, first.stints, 0) == calls(model, fresh, first.stints, 0)


def test_one_more_agent_changes_nothing_in_what_the_others_are_like() -> None:
    few, more = (Model(size=Size(seats=20, agents=agents)) for agents in (20, 21))
    arrivals = [
        {stint.agent: stint.begin for stint in plan(model, 5).days[0].roster.stints}
        for model in (few, more)
    ]
    assert all(arrivals[1].get(agent, at) == at for agent, at in arrivals[0].items())


@given(models, st.integers(0, 2**32))
def test_every_plan_is_possible(model: Model, seed: int) -> None:
    made = plan(model, seed)
    assert made.actions == sorted(made.actions)
    for action in made.actions:
        assert action.at_ms >= 0
        assert 0 <= action.desk < model.size.seats
        assert action.ms >= 0
        assert action.other != action.who or action.who == -1
    nobody_is_in_two_places(made)
    breaks_lie_within_shifts(made)
    everybody_comes_before_they_do_anything(made)
    cleaners_come_to_empty_desks(made)
    visitors_come_to_empty_desks(made)


def nobody_is_in_two_places(made: Plan) -> None:
    for key in ("agent", "desk"):
        found = defaultdict(list)
        for day in made.days:
            for stint in day.roster.stints:
                found[getattr(stint, key)].append(
                    (stint.day * DAY_S + stint.begin, stint.day * DAY_S + stint.end)
                )
        for spans in found.values():
            spans.sort()
            for (_, end), (begin, _) in pairwise(spans):
                assert end <= begin


def breaks_lie_within_shifts(made: Plan) -> None:
    for day in made.days:
        for stint in day.roster.stints:
            edge = stint.begin
            for absence in stint.absences:
                assert edge < absence.begin < absence.end
                edge = absence.end
            assert edge < stint.end


def everybody_comes_before_they_do_anything(made: Plan) -> None:
    """Each agent's actions, one after the other, as a body could do them."""
    there: dict[int, int] = {}
    sitting: set[int] = set()
    for action in made.actions:
        if action.who < 0 or action.deed == Deed.CLEAN:
            continue
        if action.deed in {Deed.BADGE_IN, Deed.SIT}:
            assert there.setdefault(action.who, action.desk) == action.desk
        assert there.get(action.who) == action.desk, action
        if action.deed == Deed.SIT:
            assert action.who not in sitting
            sitting.add(action.who)
        elif action.deed in {Deed.GET_UP, Deed.STEP_OUT, Deed.LEAVE}:
            assert action.who in sitting, action
            sitting.discard(action.who)
        elif action.deed in {Deed.PRESS, Deed.HOLD, Deed.WITHDRAW}:
            assert action.who in sitting, action
        if action.deed == Deed.LEAVE:
            del there[action.who]
    assert not there


def in_use(made: Plan, desk: int) -> list[tuple[int, int]]:
    return [
        (ms_of(day, stint.begin), ms_of(day, stint.end))
        for day, each in enumerate(made.days)
        for stint in each.roster.stints
        if stint.desk == desk
    ]


def cleaners_come_to_empty_desks(made: Plan) -> None:
    hands: dict[int, int] = {}
    for action in made.actions:
        if action.deed == Deed.CLEAN:
            spans = in_use(made, action.desk)
            assert not any(begin <= action.at_ms < end for begin, end in spans)
            assert action.at_ms > hands.get(action.who, -1)
            hands[action.who] = action.at_ms


def visitors_come_to_empty_desks(made: Plan) -> None:
    for action in made.actions:
        if action.deed == Deed.VISIT:
            until = action.at_ms + action.ms
            spans = in_use(made, action.desk)
            assert all(until < begin or end < action.at_ms for begin, end in spans)


@pytest.mark.parametrize("seed", range(5))
def test_every_report_belongs_to_an_abusive_call_that_was_answered_there(seed: int) -> None:
    made = plan(Model(size=SIZES[0], slips=0), seed)
    day = made.days[0]
    abusive = [(day.roster.stints[call.stint], call) for call in day.calls.answered if call.abusive]
    presses = [a for a in made.actions if a.deed in {Deed.PRESS, Deed.HOLD}]
    assert presses
    for action in presses:
        at = action.at_ms / 1000 - LEAD_S
        assert any(
            stint.agent == action.who and call.begin < at <= call.seated_until + 1
            for stint, call in abusive
        )


def test_a_slip_is_a_press_that_is_withdrawn_within_a_minute() -> None:
    made = plan(Model(size=SIZES[0], abusive=0, slips=0.2), 1)
    by_agent: dict[int, list[Action]] = defaultdict(list)
    for action in made.actions:
        if action.deed in {Deed.PRESS, Deed.WITHDRAW}:
            by_agent[action.who].append(action)
    assert by_agent
    for actions in by_agent.values():
        for press, back in zip(actions[::2], actions[1::2], strict=True):
            assert (press.deed, back.deed) == (Deed.PRESS, Deed.WITHDRAW)
            assert 8_000 <= back.at_ms - press.at_ms <= 60_001


def test_in_a_shift_change_one_half_leaves_while_the_other_comes_within_the_time() -> None:
    size = Size(seats=100, agents=100, kind="shift change", hours=1, minutes=10)
    stints = plan(Model(size=size), 3).days[0].roster.stints
    assert len(stints) == 100
    gone = [stint.end for stint in stints if stint.begin < 1000]
    come = [stint.begin for stint in stints if stint.begin > 1000]
    assert len(gone) == len(come) == 50
    assert all(1800 <= at <= 2400 for at in [*gone, *come])


def test_nothing_of_a_plan_can_be_read_wrongly_it_comes_back_from_its_bytes() -> None:
    made = plan(Model(size=SIZES[0]), 7).actions
    lines = encode(made).splitlines()
    assert [msgspec.json.decode(line, type=Action) for line in lines] == made


@pytest.mark.parametrize("seed", range(1, 20))
def test_a_day_of_the_demo_moves_at_once_and_keeps_moving(seed: int) -> None:
    made = day_of(seed)
    deeds = [action.deed for action in made]
    assert made[0].deed in {Deed.BADGE_IN, Deed.SIT}
    assert {Deed.CLEAN, Deed.STEP_OUT, Deed.LEAVE} < set(deeds)
    moved = [a.at_ms / 1000 / SPEED for a in made if a.who >= 0]
    pauses = [after - before for before, after in pairwise(moved)]
    assert max(pauses) < 45
    assert sorted(pauses)[len(pauses) // 2] < 3
