"""What a commit stores, refuses, counts and acknowledges."""

import itertools
import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_bridge.contract.facts import Boot, Dropped, LastBoot, Place, Press, Tag
from host_bridge.store import Batch, DeadLetter, Incoming, Key, Store, Stream
from host_bridge.store.spans import Known, grow, merge
from tests.host_bridge.store.batches import NOW, batch, empty, incoming, seat

STREAM = Stream("s", "u", 1, "ordinary")


def test_a_fact_comes_out_as_it_went_in(store: Store) -> None:
    tag = Tag(unit="u", boot=1, seq=1, up=5, age=7, tag="ab" * 16)
    store.commit(batch(incoming(tag)))
    (row,) = store.facts_after(0, 10)
    assert (row.fact, row.site, row.lane, row.seq, row.sure) == (tag, "s", "ordinary", 1, "arrival")
    assert store.facts_after(row.id, 10) == []


def test_the_same_fact_twice_is_one_row_and_one_duplicate(store: Store) -> None:
    store.commit(batch(seat(1)))
    outcome = store.commit(batch(seat(1), seat(2), seat(2)))
    assert (outcome.stored, outcome.duplicates, outcome.dead_letters) == (1, 2, 0)
    assert [row.seq for row in store.facts_after(0, 10)] == [1, 2]


def test_the_same_fact_sent_again_with_another_age_is_a_duplicate(store: Store) -> None:
    store.commit(batch(incoming(Press(unit="u", boot=1, seq=1, up=5, age=1))))
    again = Press(unit="u", boot=1, seq=1, up=5, age=900, at=NOW, clock="host")
    assert store.commit(batch(incoming(again))).duplicates == 1


def test_another_fact_under_a_known_key_is_kept_as_a_dead_letter(store: Store) -> None:
    store.commit(batch(seat(1, occupied=True)))
    outcome = store.commit(batch(seat(1, occupied=False)))
    assert (outcome.stored, outcome.duplicates, outcome.dead_letters) == (0, 0, 1)
    (letter,) = store.dead_letters()
    assert letter.reason.startswith("key conflict")
    assert b'"occupied":false' in letter.payload
    assert outcome.acknowledge == {STREAM: [(1, 1)]}


def test_another_press_under_a_known_key_is_told_by_its_uptime(store: Store) -> None:
    store.commit(batch(incoming(Press(unit="u", boot=1, seq=1, up=5))))
    outcome = store.commit(batch(incoming(Press(unit="u", boot=1, seq=1, up=70_000))))
    assert outcome.dead_letters == 1


def test_two_facts_under_one_key_within_a_batch_are_a_conflict_too(store: Store) -> None:
    outcome = store.commit(batch(seat(1, occupied=True), seat(1, occupied=False)))
    assert (outcome.stored, outcome.dead_letters) == (1, 1)


def test_a_dead_letter_whose_key_is_known_is_acknowledged(store: Store) -> None:
    letter = DeadLetter(received_ms=NOW, topic="t", payload=b"{}", reason="r", key=Key(STREAM, 2))
    outcome = store.commit(batch(seat(1), letters=[letter]))
    assert outcome.acknowledge == {STREAM: [(1, 2)]}


def test_what_was_a_dead_letter_is_stored_once_it_can_be_read(store: Store) -> None:
    letter = DeadLetter(received_ms=NOW, topic="t", payload=b"{}", reason="r", key=Key(STREAM, 1))
    store.commit(batch(letters=[letter]))
    assert store.commit(batch(seat(1))).stored == 1
    assert store.commit(batch(seat(1))).duplicates == 1


def test_a_dead_letter_with_characters_that_a_database_refuses_is_kept(store: Store) -> None:
    # Regression: PostgreSQL takes no NUL in text, UTF-8 no half of a surrogate pair; either would
    # have failed the whole batch, again and again.
    letter = DeadLetter(received_ms=NOW, topic="a\0b", payload=b"\0", reason="\0 \ud800")
    assert store.commit(batch(seat(1), letters=[letter])).stored == 1
    (kept,) = store.dead_letters()
    assert (kept.topic, kept.payload, kept.reason) == ("a\ufffdb", b"\0", "\ufffd ?")


def test_acknowledged_are_the_first_span_and_the_touched_ones(store: Store) -> None:
    store.commit(batch(seat(1), seat(2), seat(5), seat(9)))
    assert store.commit(batch(seat(10))).acknowledge == {STREAM: [(1, 2), (9, 10)]}
    assert store.commit(batch(seat(3), seat(4))).acknowledge == {STREAM: [(1, 5)]}


def test_a_gap_is_shown_with_its_size_and_since_when(store: Store) -> None:
    store.commit(batch(seat(1)))
    store.commit(batch(seat(5)))
    (gap,) = store.gaps()
    assert (gap.site, gap.unit, gap.boot, gap.lane) == STREAM
    assert (gap.missing, gap.since_ms) == (3, NOW)
    store.commit(batch(seat(2), seat(3), seat(4)))
    assert store.gaps() == []


def test_a_lost_tail_is_a_gap_once_the_next_boot_tells_of_it(store: Store) -> None:
    last = LastBoot(boot=1, ordinary=4, button=2)
    boot = Boot(unit="u", boot=2, seq=1, up=1, cause="power", firmware="1", last=last)
    store.commit(batch(seat(1), seat(3)))
    store.commit(batch(incoming(boot, received_ms=NOW + 9)))
    gaps = {gap.lane: (gap.missing, gap.since_ms) for gap in store.gaps()}
    assert gaps == {"ordinary": (2, NOW), "button": (2, NOW + 9)}


def dropped(seq: int, first: tuple[int, int], last: tuple[int, int], boot: int = 2) -> Incoming:
    fact = Dropped(
        unit="u",
        boot=boot,
        seq=seq,
        up=1,
        lane="ordinary",
        count=9,
        first=Place(boot=first[0], seq=first[1]),
        last=Place(boot=last[0], seq=last[1]),
    )
    return incoming(fact)


def test_a_gap_says_how_much_of_it_the_unit_dropped(store: Store) -> None:
    store.commit(batch(seat(1), seat(9), seat(12)))
    store.commit(batch(dropped(1, (1, 3), (1, 6)), dropped(2, (1, 5), (1, 7))))
    (gap,) = store.gaps()
    assert (gap.boot, gap.missing, gap.dropped) == (1, 9, 5)


def test_dropping_over_several_boots_is_a_gap_in_each_that_is_known(store: Store) -> None:
    store.commit(batch(seat(1, boot=1), seat(5, boot=1), seat(9, boot=3), seat(1, boot=4)))
    store.commit(batch(dropped(2, (1, 4), (3, 8), boot=4)))
    gaps = {gap.boot: (gap.missing, gap.dropped) for gap in store.gaps()}
    assert gaps == {1: (3, 1), 3: (8, 8)}


def test_a_boot_that_was_dropped_as_a_whole_is_a_gap(store: Store) -> None:
    store.commit(batch(dropped(1, (1, 1), (1, 40))))
    (gap,) = store.gaps()
    assert (gap.boot, gap.missing, gap.dropped) == (1, 40, 40)


def test_the_ledger_adds_up_over_commits_and_workers(store: Store) -> None:
    letter = DeadLetter(received_ms=NOW, topic="t", payload=b"\xff", reason="r")
    store.commit(batch(seat(1), seat(1), letters=[letter]))
    store.commit(batch(seat(2)))
    store.commit(Batch(worker="v", received=1, facts=[seat(2)], dead_letters=[]))
    v, w = store.ledger()
    assert (v.received, v.stored, v.duplicates, v.dead_letters, v.difference) == (1, 0, 1, 0, 0)
    assert (w.received, w.stored, w.duplicates, w.dead_letters, w.difference) == (4, 2, 1, 1, 0)


def test_a_reader_sees_the_marker_change_after_another_ones_commit(
    store: Store, store_url: str
) -> None:
    reader = Store.open(store_url)
    before = reader.changed()
    assert reader.changed() == before
    store.commit(batch(seat(1)))
    assert reader.changed() != before
    reader.close()


def test_a_reader_misses_nothing_while_a_writer_commits(store: Store, store_url: str) -> None:
    reader = Store.open(store_url)
    done = threading.Event()

    def write() -> None:
        for start in range(1, 600, 20):
            store.commit(batch(*(seat(seq) for seq in range(start, start + 20))))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    last = 0
    while not done.is_set() or reader.facts_after(last, 1):
        for row in reader.facts_after(last, 50):
            seen.append(row.seq)
            last = row.id
    writer.join()
    reader.close()
    assert seen == list(range(1, 601))


NUMBERS = st.lists(st.integers(1, 40), max_size=30)


@given(st.lists(NUMBERS, max_size=8))
def test_spans_hold_just_the_numbers_that_were_put_in(rounds: list[list[int]]) -> None:
    spans: list[Known] = []
    model: set[int] = set()
    for numbers in rounds:
        spans = grow(spans, dict.fromkeys(numbers, NOW))
        model |= set(numbers)
        held = [n for span in spans for n in range(span.first, span.last + 1)]
        assert held == sorted(model)
        assert all(a.last + 1 < b.first for a, b in itertools.pairwise(spans))
        assert merge([(n, n) for n in model]) == [(span.first, span.last) for span in spans]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rounds=st.lists(NUMBERS, min_size=1, max_size=5))
def test_any_order_of_arrival_leaves_each_fact_once_and_the_ledger_even(
    store: Store, rounds: list[list[int]]
) -> None:
    empty(store)
    for numbers in rounds:
        store.commit(batch(*(seat(number) for number in numbers)))
    model = {number for numbers in rounds for number in numbers}
    assert sorted(row.seq for row in store.facts_after(0, 1000)) == sorted(model)
    assert sum(gap.missing for gap in store.gaps()) == max(model, default=0) - len(model)
    (line,) = store.ledger()
    assert line.received == sum(map(len, rounds))
    assert line.stored == len(model)
    assert line.difference == 0
