"""Shares and rates of many drawn days lie where the model says, within five standard errors."""

import math
from statistics import fmean, stdev

import pytest

from sim.worlds.action import Deed
from sim.worlds.calls import arrivals, load
from sim.worlds.day import Plan, plan
from sim.worlds.model import LEAD_S, Model, Size
from sim.worlds.roster import HOUR, MINUTE
from sim.worlds.streams import Purpose, Streams

SIZE = Size(seats=60, agents=60, cleaners=2, hours=8)
SIGMAS = 5


@pytest.fixture(scope="module")
def worlds() -> list[Plan]:
    """Ten days of sixty desks, with more of everything that is rare."""
    model = Model(size=SIZE, abusive=0.2, wrong_headset=0.2, forgets_badge=0.2, visitors=0, slips=0)
    return [plan(model, seed) for seed in range(10)]


def near(found: int, of: int, share: float) -> bool:
    """Is it a likely count of a binomial?"""
    return abs(found - of * share) <= SIGMAS * math.sqrt(of * share * (1 - share)) + 1


def count(worlds: list[Plan], *deeds: Deed) -> int:
    return sum(action.deed in deeds for each in worlds for action in each.actions)


def test_abusive_calls_and_the_presses_that_follow_have_their_shares(worlds: list[Plan]) -> None:
    answered = [call for each in worlds for call in each.days[0].calls.answered]
    abusive = [call for call in answered if call.abusive]
    assert near(len(abusive), len(answered), 0.2)
    model = worlds[0].model
    presses, holds = count(worlds, Deed.PRESS), count(worlds, Deed.HOLD)
    assert near(holds, len(abusive), model.presses * model.urgent)
    singles = model.presses * (1 - model.urgent)
    expected = singles * (1 + model.double)
    assert abs(presses / len(abusive) - expected) < SIGMAS / math.sqrt(len(abusive))


def test_talks_are_log_normal_with_the_models_mean_and_spread() -> None:
    # Alone and with endless patience: no call is refused because it is long.
    model = Model(size=Size(seats=300, agents=300, hours=8), errands=0, pause_min=0, lunch_min=0)
    talks = [
        call.end - call.begin
        for call in plan(model, 1).days[0].calls.answered
        if call.begin < 4 * HOUR
    ]
    logs = [math.log(talk) for talk in talks]
    mean = math.log(model.talk_s) - model.talk_sigma**2 / 2
    assert len(talks) > 5_000
    assert abs(fmean(logs) - mean) < SIGMAS * model.talk_sigma / math.sqrt(len(logs))
    assert abs(stdev(logs) - model.talk_sigma) < SIGMAS * model.talk_sigma / math.sqrt(
        2 * len(logs)
    )


def test_calls_come_as_a_poisson_process_that_follows_the_hour() -> None:
    model, agents = Model(size=SIZE), 50.0
    days = [arrivals(model, Streams(seed).of(Purpose.ARRIVALS), agents) for seed in range(100)]
    mean = model.calls * agents * SIZE.hours
    totals = [len(day) for day in days]
    assert abs(fmean(totals) - mean) < SIGMAS * math.sqrt(mean / len(days))
    # The variance of a Poisson count is its mean; that of a sample varies by sqrt(2/n).
    assert abs(stdev(totals) ** 2 / mean - 1) < SIGMAS * math.sqrt(2 / len(days))
    by_hour = [sum(int(at // HOUR) == hour for day in days for at in day) for hour in range(8)]
    expected = [load(SIZE.opens + hour + 0.5) for hour in range(8)]
    scale = sum(by_hour) / sum(expected)
    assert all(
        abs(found / (share * scale) - 1) < 0.1
        for found, share in zip(by_hour, expected, strict=True)
    )


def test_lateness_breaks_and_errands_are_as_the_model_says(worlds: list[Plan]) -> None:
    model = worlds[0].model
    stints = [stint for each in worlds for stint in each.days[0].roster.stints]
    assert len(stints) == 600
    late = sum(stint.begin > 5 * MINUTE for stint in stints)
    assert near(late, len(stints), model.late_share * math.exp(-5 / model.late_min))
    pauses = [a for stint in stints for a in stint.absences if a.pause]
    assert 2.5 <= len(pauses) / len(stints) <= 3.0  # two pauses and lunch, in eight hours
    errands = [a for stint in stints for a in stint.absences if not a.pause]
    assert 0.6 * model.errands * 8 < len(errands) / len(stints) < model.errands * 8
    assert all(a.end - a.begin <= model.errand_min * MINUTE + 1 for a in errands)


def test_whoever_is_late_has_a_seat_all_the_same() -> None:
    model = Model(size=Size(seats=50, agents=60))
    stints = [stint for seed in range(10) for stint in plan(model, seed).days[0].roster.stints]
    assert len(stints) == 500
    late = sum(stint.begin > 5 * MINUTE for stint in stints)
    assert near(late, len(stints), model.late_share * math.exp(-5 / model.late_min))


def test_habits_have_the_models_shares_and_differ_from_person_to_person(
    worlds: list[Plan],
) -> None:
    first = [
        next(a for a in each.actions if a.who == agent and a.deed != Deed.CLEAN)
        for each in worlds
        for agent in range(60)
    ]
    forgot = sum(action.deed == Deed.SIT for action in first)
    assert near(forgot, len(first), 0.2)
    wrong = sum(action.other >= 0 for action in first)
    assert near(wrong, len(first), 0.2 * 0.8)
    model = Model(size=Size(seats=20, agents=20, days=7), forgets_badge=0.3)
    shares = []
    for seed in range(4):
        days = plan(model, seed).days
        for agent in range(20):
            came = [
                next((a.deed for a in day.actions if a.who == agent and a.deed != Deed.CLEAN), None)
                for day in days
            ]
            found = [deed == Deed.SIT for deed in came if deed is not None]
            shares.append(sum(found) / len(found))
    # If all were alike, five days of 0.3 would vary by 0.2; people who differ vary more.
    assert stdev(shares) > 0.23


def test_the_radar_errs_and_people_pass_at_the_models_rates(worlds: list[Plan]) -> None:
    model = worlds[0].model
    hours = len(worlds) * SIZE.hours * SIZE.seats
    passers = count(worlds, Deed.PASS_BY)
    assert abs(passers - model.passers * hours) < SIGMAS * math.sqrt(model.passers * hours)
    seated = sum(
        max(0.0, end - begin - 60)
        for each in worlds
        for stint in each.days[0].roster.stints
        for begin, end in stint.seated()
    )
    misses, expected = count(worlds, Deed.MISS), model.misses * seated / HOUR
    assert abs(misses - expected) < SIGMAS * math.sqrt(expected)
    lasting = [a.ms for each in worlds for a in each.actions if a.deed == Deed.MISS]
    assert abs(fmean(lasting) / (100 + model.miss_s * 1000) - 1) < 0.1


def test_cards_are_held_for_times_that_people_hold_cards(worlds: list[Plan]) -> None:
    held = [a.ms for each in worlds for a in each.actions if a.deed == Deed.BADGE_IN]
    assert all(200 <= ms <= 3000 for ms in held)
    middle = sorted(held)[len(held) // 2]
    assert abs(middle / 450 - 1) < 0.1


def test_a_share_of_nothing_or_everything_is_kept_exactly() -> None:
    def arrivals_of(share: float) -> list[Deed]:
        made = plan(Model(size=Size(seats=10, agents=10), forgets_badge=share), 1)
        return [next(a.deed for a in made.actions if a.who == agent) for agent in range(10)]

    assert set(arrivals_of(0.0)) == {Deed.BADGE_IN}
    assert set(arrivals_of(1.0)) == {Deed.SIT}


def test_the_last_round_leaves_no_desk_dirty(worlds: list[Plan]) -> None:
    for each in worlds:
        used = {stint.desk: stint.end for stint in each.days[0].roster.stints}
        cleaned = {a.desk: a.at_ms / 1000 - LEAD_S for a in each.actions if a.deed == Deed.CLEAN}
        dirty = {desk for desk, end in used.items() if cleaned.get(desk, -1) < end}
        # Who stays longer than the last cleaner leaves a dirty desk behind.
        assert len(dirty) <= 3
