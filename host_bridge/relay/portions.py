"""A batch, in portions as large as the database takes: what it refuses holds up nothing else."""

from collections import defaultdict

import msgspec

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
from host_bridge.store.spans import Span, merge


class Portions:
    """Commits a batch; one that is refused is halved until what is refused is alone.

    That is kept as a dead letter. Among n facts, finding one takes about 2 log2(n) commits more.
    """

    def __init__(self, batch: Batch) -> None:
        self._left = [batch]
        self._done: list[Outcome] = []

    def commit(self, store: Store) -> Outcome:
        """Commit what is left; the outcome is of everything.

        Raises:
            StoreUnavailableError: the database can't be used. What was committed before is not
                tried again by the next call.
        """
        while self._left:
            try:
                self._done.append(store.commit(self._left[-1]))
            except BatchRefusedError as refusal:
                self._left[-1:] = _smaller(self._left[-1], refusal)[::-1]
            else:
                self._left.pop()
        return _together(self._done)


def _smaller(batch: Batch, refusal: BatchRefusedError) -> list[Batch]:
    """What to commit instead of a refused batch, in order."""
    items: list[Incoming | DeadLetter] = [*batch.facts, *batch.dead_letters]
    if len(items) > 1:
        half = len(items) // 2
        return [
            _of(batch, items[:half], half),
            # Whatever was counted beyond the items still shows as a difference in the ledger.
            _of(batch, items[half:], batch.received - half),
        ]
    if batch.facts:
        letter = batch.facts[0].as_dead_letter(f"the database refused it: {refusal.reason}")
    elif batch.dead_letters and batch.dead_letters[0].key is not None:
        letter = msgspec.structs.replace(batch.dead_letters[0], key=None)
    else:
        # Nothing is left to leave out: it is the database that is not in order.
        raise StoreUnavailableError(refusal.url, refusal.reason) from refusal
    return [_of(batch, [letter], batch.received)]


def _of(batch: Batch, items: list[Incoming | DeadLetter], received: int) -> Batch:
    return Batch(
        worker=batch.worker,
        received=received,
        facts=[item for item in items if isinstance(item, Incoming)],
        dead_letters=[item for item in items if isinstance(item, DeadLetter)],
    )


def _together(outcomes: list[Outcome]) -> Outcome:
    if len(outcomes) == 1:
        return outcomes[0]
    spans: dict[Stream, list[Span]] = defaultdict(list)
    for outcome in outcomes:
        for stream, found in outcome.acknowledge.items():
            spans[stream] += found
    return Outcome(
        stored=sum(outcome.stored for outcome in outcomes),
        duplicates=sum(outcome.duplicates for outcome in outcomes),
        dead_letters=sum(outcome.dead_letters for outcome in outcomes),
        acknowledge={stream: merge(found) for stream, found in spans.items()},
    )
