"""The trace is bounded, and what repeats becomes one row."""

from sim.workbench.trace import KEPT, Seen, Trace, spaced


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def seen(text: str) -> Seen:
    return Seen("in", b"\x01", text)


def test_the_same_again_counts_in_its_row_and_the_row_is_told_again() -> None:
    trace = Trace(Clock())
    trace.add("UART", seen("nobody"))
    trace.add("SPI", seen("poll"))
    assert [row.count for row in trace.fresh()] == [1, 1]
    trace.add("UART", seen("nobody"))
    assert [(row.text, row.count) for row in trace.fresh()] == [("nobody", 2)]
    assert trace.fresh() == []


def test_after_a_pause_the_same_is_a_row_of_its_own() -> None:
    clock = Clock()
    trace = Trace(clock)
    trace.add("SPI", seen("card"))
    clock.now += 3
    trace.add("SPI", seen("card"))
    assert [row.count for row in trace.rows()] == [1, 1]


def test_what_goes_on_for_long_shows_up_again() -> None:
    clock = Clock()
    trace = Trace(clock)
    for _ in range(120):
        trace.add("SPI", seen("poll"))
        clock.now += 0.1
    assert len(trace.rows()) == 3
    assert sum(row.count for row in trace.rows()) == 120


def test_the_trace_keeps_the_newest_rows_only() -> None:
    trace = Trace(Clock())
    for number in range(3 * KEPT):
        trace.add("SPI", seen(str(number)))
    assert [row.text for row in trace.rows()] == [str(n) for n in range(2 * KEPT, 3 * KEPT)]
    assert len(trace.fresh()) == KEPT


def test_many_bytes_are_cut_and_counted() -> None:
    assert spaced(b"\x0a\xff") == "0A FF"
    assert spaced(bytes(1025)).endswith("… 1025 bytes")
