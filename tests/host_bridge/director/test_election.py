"""Who directs: one at a time, whatever clocks and processes do. Time is the test's own."""

import random

import pytest

from host_bridge.director.election import BEAT_S, HOLD_S, LEASE_S, Election
from host_bridge.store import Store


class Clock:
    """Seconds that the test moves on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def candidate(store: Store, clock: Clock, name: str, site: str = "hq", willing=lambda: True):
    return Election(site, store.leases, willing=willing, clock=clock, name=name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_first_one_leads_at_once_and_the_second_one_stands_by(store, clock):
    first, second = candidate(store, clock, "one"), candidate(store, clock, "two")
    first.step()
    second.step()
    assert (first.leads, second.leads) == (True, False)
    assert (second.leader, second.term) == ("one", 1)


def test_who_renews_stays_and_who_falls_silent_is_followed_by_the_next_term(store, clock):
    first, second = candidate(store, clock, "one"), candidate(store, clock, "two")
    for _ in range(50):
        first.step()
        second.step()
        assert first.leads and not second.leads
        clock.now += BEAT_S
    clock.now += HOLD_S
    second.step()
    assert not first.leads and not second.leads
    clock.now += LEASE_S
    second.step()
    assert second.leads and second.term == 2
    first.step()
    assert not first.leads and first.leader == "two"


def test_a_new_candidate_measures_by_itself_and_believes_no_time_in_the_row(store, clock):
    candidate(store, clock, "one").step()
    clock.now += 10_000
    late = candidate(store, clock, "two")
    late.step()
    assert not late.leads
    clock.now += LEASE_S
    late.step()
    assert late.leads


def test_an_answer_that_comes_late_does_not_lengthen_a_term(store, clock):
    first = candidate(store, clock, "one")
    replace = store.leases.replace

    def slow(*args):
        done = replace(*args)
        clock.now += HOLD_S
        return done

    store.leases.replace = slow
    first.step()
    assert not first.leads


def test_who_resigns_or_is_not_able_leaves_the_site_to_the_next_at_once(store, clock):
    able = [True]
    first = candidate(store, clock, "one", willing=lambda: able[0])
    second = candidate(store, clock, "two")
    first.step()
    second.step()
    able[0] = False
    first.step()
    assert not first.leads
    second.step()
    assert second.leads
    second.resign()
    assert not second.leads
    able[0] = True
    first.step()
    assert first.leads and first.term == 3


def test_sites_elect_apart(store, clock):
    here, there = candidate(store, clock, "one"), candidate(store, clock, "two", site="other")
    here.step()
    there.step()
    assert here.leads and there.leads


def test_two_that_take_an_empty_lease_at_the_same_moment_are_not_both_elected(store):
    assert store.leases.read("hq") is None
    new = candidate(store, Clock(), "x")
    new.step()
    lease = store.leases.read("hq")
    assert not store.leases.replace("hq", None, lease)
    assert store.leases.replace("hq", lease, lease.__class__("y", 2, lease.beat + 1))
    assert not store.leases.replace("hq", lease, lease.__class__("z", 2, lease.beat + 1))


@pytest.mark.parametrize("seed", range(6))
def test_no_order_of_steps_pauses_and_ends_lets_two_lead(store, clock, seed):
    chance = random.Random(seed)
    candidates = [candidate(store, clock, f"n{number}") for number in range(3)]
    terms = set()
    for _ in range(250):
        one = chance.choice(candidates)
        if chance.random() < 0.03:
            one.resign()
        elif chance.random() < 0.02:
            candidates[candidates.index(one)] = candidate(store, clock, f"n{chance.random()}")
        else:
            one.step()
        leading = [each for each in candidates if each.leads]
        assert len(leading) <= 1
        terms.update((each.term, each.name) for each in leading)
        clock.now += chance.choice((0.0, 0.1, BEAT_S, BEAT_S, HOLD_S, LEASE_S))
    assert len(terms) > 5
    # One name for each term: the number fences.
    assert len({term for term, _ in terms}) == len(terms)
