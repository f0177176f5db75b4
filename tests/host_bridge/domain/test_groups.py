"""No sum and no difference of what is published tells of a group that is too small."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_bridge.domain.groups import SITE, Figures, SignIn, day_figures, publish

ROOMS = ("a", "b", "c", "d", "e")
SIZES = st.lists(st.integers(0, 30), min_size=1, max_size=5)


def rooms_of(sizes: list[int]) -> dict[str, Figures]:
    return {
        room: Figures(size, 2 * size, size // 3) for room, size in zip(ROOMS, sizes, strict=False)
    }


@pytest.mark.parametrize(("agents", "told"), [(9, False), (10, True), (11, True)])
def test_a_group_is_told_of_from_the_threshold_on(agents: int, told: bool):
    found = publish({"a": Figures(agents, 12, 1)}, 10)
    expected = Figures(agents, 12, 1) if told else None
    assert found == {"a": expected, SITE: expected}


@given(SIZES, st.integers(5, 15))
def test_an_attacker_who_adds_and_subtracts_everything_meets_no_small_group(
    sizes: list[int], k: int
):
    rooms = rooms_of(sizes)
    told = publish(rooms, k)
    names = list(rooms)
    cells = [name for name, figures in told.items() if figures is not None]
    # Each published cell as the rooms that it sums up.
    vectors = [np.array([1 if cell in {SITE, name} else 0 for name in names]) for cell in cells]
    for signs in product((-1, 0, 1), repeat=len(vectors)):
        total = sum((sign * each for sign, each in zip(signs, vectors, strict=True)), 0)
        if not np.any(total):
            continue
        # Whoever knows this combination knows something of all the rooms in it together.
        of = [name for name, weight in zip(names, np.atleast_1d(total), strict=True) if weight]
        assert sum(rooms[name].agents for name in of) >= k, (told, signs)


@given(SIZES, st.integers(5, 15))
def test_no_single_hidden_room_is_determined_by_what_is_told(sizes: list[int], k: int):
    rooms = rooms_of(sizes)
    told = publish(rooms, k)
    names = list(rooms)
    rows = [
        [1.0 if cell in {SITE, name} else 0.0 for name in names]
        for cell, figures in told.items()
        if figures is not None
    ]
    known = np.array(rows).reshape(len(rows), len(names))
    rank = np.linalg.matrix_rank(known) if rows else 0
    for place, name in enumerate(names):
        alone = np.eye(len(names))[place]
        determined = bool(rows) and np.linalg.matrix_rank(np.vstack([known, alone])) == rank
        if determined:
            assert rooms[name].agents >= k, (name, told)


def test_a_small_room_hides_a_sibling_so_that_the_total_may_stay():
    rooms = rooms_of([30, 3, 12])
    told = publish(rooms, 10)
    assert (told["b"], told["c"]) == (None, None)
    assert told["a"] == rooms["a"]
    assert told[SITE] == Figures(45, 90, 15)


def test_rooms_that_are_too_small_alone_are_told_of_together():
    told = publish(rooms_of([6, 6]), 10)
    assert told == {"a": None, "b": None, SITE: Figures(12, 24, 4)}


def test_an_empty_room_is_suppressed_like_any_small_one():
    assert publish(rooms_of([12, 0, 20]), 10)["b"] is None


def test_everybody_belongs_to_the_room_of_their_first_sign_in_only():
    sign_ins = [SignIn(3, "b", 1), SignIn(1, "a", 1), SignIn(2, "b", 2), SignIn(4, "a", 1)]
    found = day_figures(["a", "b", "c"], sign_ins, {"b": 2})
    assert found == {"a": Figures(1, 2, 0), "b": Figures(1, 2, 2), "c": Figures(0, 0, 0)}


@given(st.lists(st.tuples(st.integers(0, 99), st.sampled_from("abc"), st.integers(1, 40))))
def test_groups_of_a_day_are_disjoint_and_everybody_is_in_one(sign_ins):
    found = day_figures("abc", [SignIn(*each) for each in sign_ins], {})
    assert sum(each.agents for each in found.values()) == len({p for _, _, p in sign_ins})
    assert sum(each.sign_ins for each in found.values()) == len(sign_ins)
