"""What the database refuses is alone in the end, and kept; everything else is stored."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_bridge.contract.facts import Crash
from host_bridge.relay.portions import Portions
from host_bridge.store import (
    Batch,
    BatchRefusedError,
    DeadLetter,
    Incoming,
    Outcome,
    Store,
    StoreUnavailableError,
    Stream,
)
from tests.host_bridge.store.batches import NOW, batch, empty, incoming, refuse, seat

STREAM = Stream("s", "u", 1, "ordinary")


def crash(seq: int) -> Incoming:
    return incoming(Crash(unit="u", boot=1, seq=seq, up=seq, text="ValueError at main.py:1"))


def stored(store: Store) -> list[int]:
    return sorted(row.seq for row in store.facts_after(0, 10_000))


def lost_from_the_ledger(store: Store) -> int:
    return sum(abs(row.difference) for row in store.ledger())


def test_a_batch_that_is_refused_says_why_and_leaves_nothing_behind(store: Store) -> None:
    refuse(store, "facts", "type = 'crash'")
    with pytest.raises(BatchRefusedError, match="no_facts") as caught:
        store.commit(batch(seat(1), crash(2)))
    assert "ValueError" not in str(caught.value)
    assert (stored(store), store.ledger()) == ([], [])
    assert store.commit(batch(seat(1))).stored == 1


def test_the_one_refused_fact_among_a_thousand_is_a_dead_letter_and_all_are_acknowledged(
    store: Store,
) -> None:
    refuse(store, "facts", "type = 'crash'")
    facts = [crash(seq) if seq == 613 else seat(seq) for seq in range(1, 1001)]
    outcome = Portions(batch(*facts)).commit(store)
    assert (outcome.stored, outcome.duplicates, outcome.dead_letters) == (999, 0, 1)
    assert outcome.acknowledge == {STREAM: [(1, 1000)]}
    assert stored(store) == [seq for seq in range(1, 1001) if seq != 613]
    (letter,) = store.dead_letters()
    assert letter.reason.startswith("the database refused it: ")
    assert b'"seq":613' in letter.payload
    (line,) = store.ledger()
    assert (line.received, line.difference, store.gaps()) == (1000, 0, [])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(["seat", "crash", "letter"]), max_size=12))
def test_whatever_is_refused_everything_is_kept_and_counted_once(
    store: Store, kinds: list[str]
) -> None:
    empty(store)
    refuse(store, "facts", "type = 'crash'")
    facts = [
        crash(seq) if kind == "crash" else seat(seq)
        for seq, kind in enumerate(kinds, start=1)
        if kind != "letter"
    ]
    strange = DeadLetter(received_ms=NOW, topic="t", payload=b"?", reason="r")
    outcome = Portions(batch(*facts, letters=[strange] * kinds.count("letter"))).commit(store)
    assert (outcome.stored, outcome.dead_letters) == (
        kinds.count("seat"),
        kinds.count("crash") + kinds.count("letter"),
    )
    assert len(store.dead_letters()) == outcome.dead_letters
    assert sum(row.received for row in store.ledger()) == len(kinds)
    assert lost_from_the_ledger(store) == 0


def test_a_refused_fact_is_stored_when_it_comes_again_to_a_database_that_takes_it(
    store: Store,
) -> None:
    refuse(store, "facts", "type = 'crash'")
    Portions(batch(crash(1))).commit(store)
    refuse(store, "facts", None)
    assert Portions(batch(crash(1))).commit(store).stored == 1


@pytest.mark.parametrize("site", ["nul\0", "half\ud800"])
def test_text_that_a_database_can_not_hold_does_not_hold_up_the_others(
    store: Store, site: str
) -> None:
    # SQLite takes NUL in a text, PostgreSQL does not; neither takes half a surrogate pair.
    takes = store._engine.dialect.name == "sqlite" and "\0" in site
    strange = incoming(seat(2).fact, site=site)
    outcome = Portions(batch(seat(1), strange, seat(3))).commit(store)
    assert (outcome.stored, outcome.dead_letters) == ((3, 0) if takes else (2, 1))
    for letter in store.dead_letters():
        assert letter.payload
        assert (
            letter.topic
            == "chequer/v1/" + site.replace("\0", "\ufffd").replace("\ud800", "?") + "/u/fact"
        )
    assert lost_from_the_ledger(store) == 0


def test_a_database_that_refuses_even_dead_letters_is_waited_for_and_loses_nothing(
    store: Store,
) -> None:
    refuse(store, "facts", "type = 'crash'")
    refuse(store, "dead_letters", "received_ms > 0")
    portions = Portions(batch(seat(1), crash(2), seat(3)))
    with pytest.raises(StoreUnavailableError, match="no_dead_letters"):
        portions.commit(store)
    refuse(store, "dead_letters", None)
    outcome = portions.commit(store)
    assert (outcome.stored, outcome.duplicates, outcome.dead_letters) == (2, 0, 1)
    assert lost_from_the_ledger(store) == 0


class Failing:
    """A store that can't be used at some of its commits."""

    def __init__(self, store: Store, *failures: int) -> None:
        self._store, self._failures, self._count = store, failures, 0

    def commit(self, batch: Batch) -> Outcome:
        self._count += 1
        if self._count in self._failures:
            raise StoreUnavailableError("url", "fault")
        return self._store.commit(batch)


@pytest.mark.parametrize("failure", range(1, 10))
def test_an_outage_between_two_portions_repeats_nothing(store: Store, failure: int) -> None:
    refuse(store, "facts", "type = 'crash'")
    portions = Portions(batch(*(seat(n) for n in range(1, 8)), crash(8)))
    failing: Store = Failing(store, failure)  # type: ignore[assignment]
    for _ in range(2):
        try:
            outcome = portions.commit(failing)
            break
        except StoreUnavailableError:
            continue
    assert (outcome.stored, outcome.duplicates, outcome.dead_letters) == (7, 0, 1)
    (line,) = store.ledger()
    assert (line.received, line.difference) == (8, 0)
