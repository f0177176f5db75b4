"""The last facts of a unit's lane."""

from host_bridge.contract.facts import Chip, Press, Seat
from host_bridge.store import Store, latest
from tests.host_bridge.store.batches import batch, incoming, seat

TYPES = ("seat", "tag")


def last(store: Store, before_id: int = 2**40, limit: int = 3) -> list[tuple[int, int]]:
    found = store.last_of("s", "u", "ordinary", types=TYPES, before_id=before_id, limit=limit)
    return [(row.boot, row.seq) for row in found]


def test_they_are_the_last_by_the_unit_s_count_across_boots_and_whatever_the_arrival(
    store: Store,
) -> None:
    store.commit(batch(seat(2, boot=2), seat(1, boot=3), seat(3, boot=2)))
    store.commit(batch(seat(1, boot=2), seat(9, boot=1)))
    assert last(store) == [(3, 1), (2, 3), (2, 2)]
    assert last(store, limit=10) == [(3, 1), (2, 3), (2, 2), (2, 1), (1, 9)]


def test_other_types_lanes_units_sites_and_later_ids_are_left_out(store: Store) -> None:
    store.commit(batch(seat(1), incoming(Chip(unit="u", boot=1, seq=2, up=2, chip="a", ok=True))))
    store.commit(batch(incoming(Press(unit="u", boot=1, seq=3, up=3)), seat(4, unit="v")))
    other = Seat(unit="u", boot=1, seq=5, up=5, occupied=True)
    store.commit(batch(incoming(other, site="t")))
    store.commit(batch(seat(6)))
    assert last(store) == [(1, 6), (1, 1)]
    assert last(store, before_id=store.newest()) == [(1, 1)]


def test_of_a_unit_that_boots_for_ever_only_some_boots_are_looked_into(store: Store) -> None:
    store.commit(batch(*(seat(1, boot=boot) for boot in range(1, 2 * latest.BOOTS))))
    assert len(last(store, limit=1000)) == latest.BOOTS
