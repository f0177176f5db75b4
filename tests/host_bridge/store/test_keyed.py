"""In which order a batch is stored."""

import random

from host_bridge.store import Store
from host_bridge.store.keyed import LIVE
from tests.host_bridge.store.batches import batch, seat


def stored(store: Store) -> list[tuple[str, int]]:
    return [(fact.unit, fact.seq) for fact in store.facts_after(0, 10_000)]


def test_what_happens_now_is_stored_in_the_order_of_arrival(store: Store) -> None:
    arrived = [(f"u{seq % 3}", seq) for seq in range(LIVE, 0, -1)]
    store.commit(batch(*(seat(seq, unit=unit) for unit, seq in arrived)))
    assert stored(store) == arrived


def test_a_backlog_is_stored_by_unit_and_number_and_nothing_of_it_is_lost(store: Store) -> None:
    arrived = [(f"u{unit}", seq) for seq in range(1, LIVE) for unit in range(3)]
    random.Random(1).shuffle(arrived)
    outcome = store.commit(batch(*(seat(seq, unit=unit) for unit, seq in arrived)))
    assert outcome.stored == len(arrived)
    assert stored(store) == sorted(arrived)


def test_of_two_facts_under_one_key_in_a_backlog_the_one_that_came_first_is_stored(
    store: Store,
) -> None:
    first, other = seat(7, occupied=True), seat(7, occupied=False)
    others = [seat(seq, unit="b") for seq in range(1, LIVE + 1)]
    outcome = store.commit(batch(*others, first, other))
    assert (outcome.stored, outcome.dead_letters) == (LIVE + 1, 1)
    (kept,) = [fact for fact in store.facts_after(0, 10_000) if fact.unit != "b"]
    assert kept.fact == first.fact
