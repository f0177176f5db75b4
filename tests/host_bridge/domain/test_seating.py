from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_bridge.domain.seating import allowed, conflicts


def grid(columns: int, rows: int, pitch: float = 1.6) -> list[tuple[float, float]]:
    return [(x * pitch, y * pitch) for y in range(rows) for x in range(columns)]


def ring(count: int) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(sorted(((i - 1) % count, (i + 1) % count))) for i in range(count))


@pytest.mark.parametrize(("columns", "rows"), [(2, 1), (3, 3), (4, 3), (5, 5), (10, 10), (1, 7)])
def test_a_grid_with_four_neighbours_seats_half_and_the_larger_half_first(columns, rows):
    graph = conflicts(grid(columns, rows), 2.0)
    half = columns * rows / 2
    assert len(allowed(graph, 0)) == -(-columns * rows // 2)
    assert len(allowed(graph, 1)) == int(half)


def test_a_grid_desk_rests_in_every_other_shift():
    graph = conflicts(grid(6, 5), 2.0)
    today, tomorrow = allowed(graph, 0), allowed(graph, 1)
    assert not today & tomorrow
    assert today | tomorrow == set(range(30))
    assert allowed(graph, 2) == today


def test_a_desk_far_from_all_others_is_always_allowed():
    graph = conflicts([(0, 0), (1, 0), (50, 50)], 2.0)
    assert all(2 in allowed(graph, shift) for shift in range(4))


def test_each_desk_of_an_odd_ring_has_its_turn():
    for count in (3, 5, 7):
        turns = [allowed(ring(count), shift) for shift in range(3)]
        assert set().union(*turns) == set(range(count))
        assert all(len(turn) == count // 2 for turn in turns)


def test_groups_of_desks_do_not_influence_each_other():
    alone = allowed(ring(5), 1)
    beside = (*ring(5), (6,), (5,))
    assert allowed(beside, 1) & set(range(5)) == alone


def test_exactly_the_clearance_apart_is_far_enough():
    assert conflicts([(0.1, 0), (0.1 + 0.2 + 1.2, 0)], 1.4) == ((), ())
    assert conflicts([(0, 0), (1.39, 0)], 1.4) == ((1,), (0,))


def test_two_desks_drawn_at_the_same_place_conflict_and_without_clearance_nothing_does():
    assert conflicts([(1, 1), (1, 1)], 1.0) == ((1,), (0,))
    assert conflicts([(1, 1), (1, 1)], 0.0) == ((), ())


def test_no_desks_have_no_conflicts():
    assert conflicts([], 1.5) == ()
    assert allowed((), 3) == frozenset()


metres = st.floats(min_value=-20, max_value=20)
places = st.lists(st.tuples(metres, metres), max_size=24)


@given(places, st.floats(min_value=0, max_value=6), st.integers(0, 50))
def test_never_are_two_allowed_desks_in_conflict(seats, clearance, shift):
    chosen = sorted(allowed(conflicts(seats, clearance), shift))
    for i in chosen:
        for j in chosen:
            apart = hypot(seats[i][0] - seats[j][0], seats[i][1] - seats[j][1])
            assert i == j or apart >= clearance - 0.0011


@given(places, st.floats(min_value=0, max_value=6), st.integers(0, 50))
def test_no_desk_is_blocked_without_an_allowed_neighbour(seats, clearance, shift):
    graph = conflicts(seats, clearance)
    chosen = allowed(graph, shift)
    assert all(chosen & set(graph[d]) for d in range(len(graph)) if d not in chosen)


@given(places, st.floats(min_value=0, max_value=6))
def test_every_desk_is_allowed_in_some_shift(seats, clearance):
    graph = conflicts(seats, clearance)
    seen = set().union(*(allowed(graph, shift) for shift in range(len(graph))))
    assert seen == set(range(len(graph)))
