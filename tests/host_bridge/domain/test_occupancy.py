from hypothesis import given
from hypothesis import strategies as st

from host_bridge.domain import hygiene, occupancy
from host_bridge.domain.desk import Desk
from host_bridge.domain.guidance import seat_word

T = 1_800_000_000_000
AWAY = 600_000
ANNA = 1


def word(desk: Desk, *, allowed: bool = True, full: bool = False) -> str:
    return seat_word(desk, allowed=allowed, full=full)


def test_a_desk_goes_from_free_to_taken_to_dirty_to_free():
    desk = Desk()
    assert word(desk) == "free"
    desk = occupancy.seat(desk, True, T)
    assert word(desk) == "taken"
    desk = occupancy.seat(desk, False, T + 1000)
    assert word(occupancy.settle(desk, T + 1000 + AWAY - 1, AWAY)) == "free"
    desk = occupancy.settle(desk, T + 1000 + AWAY, AWAY)
    assert word(desk) == "dirty"
    assert word(hygiene.clean(desk)) == "free"


def test_a_signed_in_desk_is_reserved_while_its_person_is_briefly_away():
    desk = occupancy.sign_in(Desk(), ANNA, T)
    assert word(desk) == "reserved"
    desk = occupancy.seat(desk, True, T + 5)
    assert word(desk) == "taken"
    desk = occupancy.seat(desk, False, T + 10)
    assert word(occupancy.settle(desk, T + 10 + AWAY - 1, AWAY)) == "reserved"
    gone = occupancy.settle(desk, T + 10 + AWAY, AWAY)
    assert (word(gone), gone.holder, gone.last_person) == ("dirty", None, ANNA)


def test_who_signs_in_and_never_sits_has_left_after_the_same_time():
    desk = occupancy.sign_in(Desk(), ANNA, T)
    assert occupancy.settle(desk, T + AWAY - 1, AWAY).holder == ANNA
    assert occupancy.settle(desk, T + AWAY, AWAY).holder is None


def test_whoever_sits_has_not_left_however_long_it_lasts():
    desk = occupancy.seat(occupancy.sign_in(Desk(), ANNA, T), True, T + 1)
    assert occupancy.settle(desk, T + 1000 * AWAY, AWAY) == desk


def test_a_ready_desk_does_not_turn_dirty_by_waiting():
    assert occupancy.settle(Desk(), T, AWAY) == Desk()


def test_hearing_occupied_twice_does_not_restart_the_time():
    desk = occupancy.seat(Desk(), True, T)
    assert occupancy.seat(desk, True, T + 99) == desk


def test_standing_up_after_goodbye_and_cleaning_makes_it_dirty_again():
    desk = hygiene.leave(occupancy.seat(occupancy.sign_in(Desk(), ANNA, T), True, T + 1))
    assert word(desk) == "dirty"
    desk = hygiene.clean(desk)
    assert word(desk) == "taken"
    desk = occupancy.seat(desk, False, T + 2)
    assert word(occupancy.settle(desk, T + 2 + AWAY, AWAY)) == "dirty"


def test_sitting_where_the_plan_says_blocked_is_a_conflict_even_when_dirty():
    assert word(Desk(occupied=True), allowed=False) == "conflict"
    assert word(Desk(occupied=True, dirty=True), allowed=False) == "conflict"


def test_a_blocked_seat_stays_blocked_for_who_signs_in_there():
    assert word(Desk(holder=ANNA), allowed=False) == "blocked"


def test_a_full_room_closes_free_seats_only():
    assert word(Desk(), full=True) == "full"
    assert word(Desk(occupied=True), full=True) == "taken"
    assert word(Desk(holder=ANNA), full=True) == "reserved"
    assert word(Desk(), full=True, allowed=False) == "blocked"


desks = st.builds(
    Desk,
    occupied=st.booleans(),
    since=st.integers(0, 100),
    holder=st.sampled_from([None, 1, 2]),
    held_since=st.integers(0, 100),
    used=st.booleans(),
    dirty=st.booleans(),
    last_person=st.sampled_from([None, 1, 2]),
)


@given(desks, st.integers(0, 300), st.integers(0, 300))
def test_looking_in_between_changes_nothing(desk, first, second):
    first, second = sorted((first, second))
    twice = occupancy.settle(occupancy.settle(desk, first, 50), second, 50)
    assert twice == occupancy.settle(desk, second, 50)
