import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_bridge.domain.floor import DeskView, RoomView
from host_bridge.web.plan import LEAST_METRES, TILE, draw


def room(places: list[tuple[float, float]], name: str = "A") -> RoomView:
    desks = tuple(
        DeskView(f"{name}{n}", f"u{n}", x, y, "free", "free") for n, (x, y) in enumerate(places)
    )
    return RoomView("Room", None, 1.5, 0, desks)


metres = st.integers(-500, 500).map(lambda centimetres: centimetres / 20)


@given(st.lists(st.tuples(metres, metres), min_size=1, max_size=20, unique=True))
def test_tiles_neither_overlap_nor_leave_the_drawing(places):
    # Twenty to the metre: closer than the least distance, tiles may overlap.
    places = [(x * LEAST_METRES * 20, y * LEAST_METRES * 20) for x, y in places]
    plan = draw(room(places))
    for tile in plan.tiles:
        assert 0 <= tile.x <= plan.width - TILE
        assert 0 <= tile.y <= plan.height - TILE
    for i, one in enumerate(plan.tiles):
        for other in plan.tiles[i + 1 :]:
            assert max(abs(one.x - other.x), abs(one.y - other.y)) >= TILE


def test_the_drawing_is_to_scale():
    left, middle, right = draw(room([(0, 0), (2, 0), (6, 0)])).tiles
    assert right.x - middle.x == pytest.approx(2 * (middle.x - left.x))


def test_one_desk_fills_a_drawing_of_its_own():
    plan = draw(room([(1234.5, -77.0)]))
    assert plan.width == plan.height < 2 * TILE


def test_two_desks_at_one_place_do_not_shrink_or_break_the_drawing():
    plan = draw(room([(0, 0), (0, 0), (1.6, 0)]))
    assert plan.width < 20 * TILE


def test_a_long_name_is_cut_on_the_tile_only():
    (tile,) = draw(room([(0, 0)], name="Window seat ")).tiles
    assert tile.label == "Window …"
    assert tile.desk.name == "Window seat 0"


def test_desks_are_read_row_by_row():
    plan = draw(room([(2, 2), (0, 2), (2, 0), (0, 0)]))
    assert [tile.desk.unit for tile in plan.tiles] == ["u3", "u2", "u1", "u0"]
