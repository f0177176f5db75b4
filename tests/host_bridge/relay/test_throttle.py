"""A unit that floods is put off; nobody else is, and nothing is kept for ever."""

from host_bridge.relay.throttle import BURST, MOST, RATE, SAY_MS, Flood, Throttle

NOW = 1_760_000_000_000


def test_a_burst_passes_and_then_the_rate_and_nobody_else_is_held_up() -> None:
    throttle = Throttle()
    assert sum(throttle.passes("a", NOW) for _ in range(2 * BURST)) == BURST
    assert throttle.passes("b", NOW)
    passed = sum(throttle.passes("a", NOW + ms) for ms in range(1, 2_001) for _ in range(5))
    assert passed == 2 * RATE


def test_what_is_put_off_is_told_at_once_and_then_with_its_number() -> None:
    throttle = Throttle()
    told = []
    for number in range(BURST + 20):
        if not throttle.passes("a", NOW):
            told.append(throttle.flood("a", NOW))
        assert bool(told) == (number >= BURST)
    assert [flood.messages for flood in told if flood] == [1]
    while throttle.passes("a", NOW + SAY_MS):
        pass
    flood = throttle.flood("a", NOW + SAY_MS)
    assert flood is not None
    assert flood.messages == 20


def test_the_end_of_a_flood_is_told_too() -> None:
    throttle = Throttle()
    for _ in range(BURST + 30):
        if not throttle.passes("a", NOW):
            throttle.flood("a", NOW)
    assert throttle.unsaid(NOW + SAY_MS - 1) == []
    assert throttle.unsaid(NOW + SAY_MS) == [Flood("a", 29)]
    assert throttle.unsaid(NOW + 2 * SAY_MS) == []


def test_a_clock_that_is_set_back_neither_blocks_nor_frees_anybody() -> None:
    throttle = Throttle()
    while throttle.passes("a", NOW):
        pass
    assert not throttle.passes("a", NOW - 3_600_000)
    assert throttle.passes("a", NOW - 3_600_000 + 10)


def test_any_number_of_topics_takes_a_bounded_memory() -> None:
    throttle = Throttle()
    for number in range(3 * MOST):
        throttle.passes(f"t{number}", NOW + number)
    assert len(throttle._buckets) <= MOST
