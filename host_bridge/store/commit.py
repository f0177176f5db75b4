"""The one transaction that takes in a batch.

A number that lies in no span was never received, so its fact is inserted without asking. One that
lies in a span is compared with what is there: the same is a duplicate; different content under the
same key is kept as a dead letter, because throwing it away would be a silent loss.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import LANES, AnyFact, Boot
from host_bridge.store.records import Batch, DeadLetter, Incoming, Key, Outcome, Stream
from host_bridge.store.spans import Known, Span, covers, grow
from host_bridge.store.tables import dead_letters, facts, ledger, spans, tails

_CHUNK = 500
"""Streams in one question: SQLite takes 32,766 values in a statement."""

decode_fact = msgspec.json.Decoder(AnyFact).decode
Row = TypeVar("Row")
_STREAM = ("site", "unit", "boot", "lane")
_KEY = (*_STREAM, "seq")


def take(connection: sa.Connection, batch: Batch) -> Outcome:
    """Write the batch and say what became of it. The caller commits."""
    known = _known_spans(connection, _streams(batch))
    fresh, again = _split(batch.facts, known)
    duplicates, conflicts = _judge_again(connection, fresh, again)
    letters = [*batch.dead_letters, *conflicts]
    _insert_facts(connection, list(fresh.values()))
    _insert_dead_letters(connection, letters)
    acknowledge = _extend_spans(connection, known, batch)
    outcome = Outcome(
        stored=len(fresh),
        duplicates=duplicates,
        dead_letters=len(letters),
        acknowledge=acknowledge,
    )
    _enter(connection, batch, outcome)
    return outcome


def _streams(batch: Batch) -> set[Stream]:
    keys = (letter.key for letter in batch.dead_letters)
    return {fact.stream for fact in batch.facts} | {key.stream for key in keys if key}


def _known_spans(connection: sa.Connection, streams: set[Stream]) -> dict[Stream, list[Known]]:
    known: dict[Stream, list[Known]] = {stream: [] for stream in streams}
    for chunk in _chunks(sorted(streams)):
        query = _rows_of(spans, _STREAM, chunk, ("first", "last", "since_ms"))
        for row in connection.execute(query.order_by(spans.c.first)):
            known[Stream(*row[:4])].append(Known(*row[4:]))
    return known


def _rows_of(
    table: sa.Table, names: Sequence[str], asked: Sequence[Sequence[Any]], wanted: Sequence[str]
) -> sa.Select[Any]:
    """The rows whose columns `names` have one of the `asked` combinations of values.

    A join, because SQLite scans the whole table for `(a, b) IN (VALUES ...)`.
    """
    values = sa.values(*(sa.column(name, table.c[name].type) for name in names), name="asked")
    one = values.data([tuple(each) for each in asked]).cte("asked")
    on = sa.and_(*(table.c[name] == one.c[name] for name in names))
    return sa.select(*(table.c[name] for name in (*names, *wanted))).join_from(one, table, on)


def _split(
    incoming: list[Incoming], known: dict[Stream, list[Known]]
) -> tuple[dict[Key, Incoming], list[Incoming]]:
    """Facts that are new for certain, and those that were received before (perhaps just now)."""
    fresh: dict[Key, Incoming] = {}
    again: list[Incoming] = []
    for item in incoming:
        key = item.key
        if key in fresh or covers(known[key.stream], key.seq):
            again.append(item)
        else:
            fresh[key] = item
    return fresh, again


def _judge_again(
    connection: sa.Connection, fresh: dict[Key, Incoming], again: list[Incoming]
) -> tuple[int, list[DeadLetter]]:
    """Count the duplicates, find the conflicts, and move to `fresh` what can be read only now."""
    if not again:
        return 0, []
    asked = {item.key for item in again} - fresh.keys()
    stored = _stored_facts(connection, asked)
    unread = _keys_of_dead_letters(connection, asked - stored.keys())
    duplicates, conflicts = 0, []
    for item in again:
        key = item.key
        there = fresh[key].fact if key in fresh else stored.get(key)
        if there is None and key in unread:
            fresh[key] = item
        elif there is None or _same(there, item.fact):
            # None: stored once and deleted since, because its time to live was over.
            duplicates += 1
        else:
            conflicts.append(_conflict(item))
    return duplicates, conflicts


def _same(one: AnyFact, other: AnyFact) -> bool:
    """The same happening? Age and the unit's clock may differ from one sending to the next."""
    return _fixed(one) == _fixed(other)


def _fixed(fact: AnyFact) -> AnyFact:
    return msgspec.structs.replace(fact, age=None, at=None, clock="none")


def _conflict(item: Incoming) -> DeadLetter:
    return DeadLetter(
        received_ms=item.received_ms,
        topic=item.topic,
        payload=msgspec.json.encode(item.fact),
        reason="key conflict: another fact is stored under this boot and sequence number",
        key=item.key,
    )


def _stored_facts(connection: sa.Connection, keys: set[Key]) -> dict[Key, AnyFact]:
    found: dict[Key, AnyFact] = {}
    for chunk in _chunks(sorted((*key.stream, key.seq) for key in keys)):
        for row in connection.execute(_rows_of(facts, _KEY, chunk, ("body",))):
            found[Key(Stream(*row[:4]), row.seq)] = decode_fact(row.body)
    return found


def _keys_of_dead_letters(connection: sa.Connection, keys: set[Key]) -> set[Key]:
    found: set[Key] = set()
    for chunk in _chunks(sorted((*key.stream, key.seq) for key in keys)):
        for row in connection.execute(_rows_of(dead_letters, _KEY, chunk, ())):
            found.add(Key(Stream(*row[:4]), row.seq))
    return found


def _insert_facts(connection: sa.Connection, fresh: list[Incoming]) -> None:
    if not fresh:
        return
    rows = [
        {
            **item.stream._asdict(),
            "seq": item.fact.seq,
            "type": type(item.fact).__struct_config__.tag,
            "time_ms": item.time_ms,
            "sure": item.sure,
            "received_ms": item.received_ms,
            "body": msgspec.json.encode(item.fact).decode(),
        }
        for item in fresh
    ]
    connection.execute(sa.insert(facts), rows)
    for item in fresh:
        if isinstance(item.fact, Boot) and item.fact.last is not None:
            _note_tails(connection, item, item.fact)


def _note_tails(connection: sa.Connection, item: Incoming, fact: Boot) -> None:
    """Keep how far the boot before had counted. The first report stands."""
    assert fact.last is not None
    for lane in LANES:
        counted = fact.last.ordinary if lane == "ordinary" else fact.last.button
        stream = Stream(item.site, fact.unit, fact.last.boot, lane)
        if counted == 0 or connection.execute(_tail_of(stream)).first() is not None:
            continue
        values = {**stream._asdict(), "last": counted, "since_ms": item.received_ms}
        connection.execute(sa.insert(tails).values(values))


def _tail_of(stream: Stream) -> sa.Select[tuple[int]]:
    here = [tails.c[name] == value for name, value in stream._asdict().items()]
    return sa.select(tails.c.last).where(*here)


def _insert_dead_letters(connection: sa.Connection, letters: list[DeadLetter]) -> None:
    if not letters:
        return
    nowhere: dict[str, object] = dict.fromkeys(_KEY)
    rows = [
        {
            "received_ms": letter.received_ms,
            "topic": letter.topic,
            "payload": letter.payload,
            "reason": letter.reason,
            **({**letter.key.stream._asdict(), "seq": letter.key.seq} if letter.key else nowhere),
        }
        for letter in letters
    ]
    connection.execute(sa.insert(dead_letters), rows)


def _extend_spans(
    connection: sa.Connection, known: dict[Stream, list[Known]], batch: Batch
) -> dict[Stream, list[Span]]:
    """Write the grown spans, and say which of them to acknowledge."""
    numbers: dict[Stream, dict[int, int]] = defaultdict(dict)
    for item in batch.facts:
        numbers[item.stream].setdefault(item.fact.seq, item.received_ms)
    for letter in batch.dead_letters:
        if letter.key:
            numbers[letter.key.stream].setdefault(letter.key.seq, letter.received_ms)
    gone: list[dict[str, object]] = []
    come: list[dict[str, object]] = []
    acknowledge: dict[Stream, list[Span]] = {}
    for stream, touched in numbers.items():
        old, new = known[stream], grow(known[stream], touched)
        gone += [{**_where(stream), "b_first": span.first} for span in set(old) - set(new)]
        come += [{**stream._asdict(), **span._asdict()} for span in set(new) - set(old)]
        acknowledge[stream] = [
            (span.first, span.last)
            for index, span in enumerate(new)
            if index == 0 or any(span.first <= number <= span.last for number in touched)
        ]
    if gone:
        columns = (*_STREAM, "first")
        here = [spans.c[name] == sa.bindparam(f"b_{name}") for name in columns]
        connection.execute(sa.delete(spans).where(*here), gone)
    if come:
        connection.execute(sa.insert(spans), come)
    return acknowledge


def _where(stream: Stream) -> dict[str, object]:
    return {f"b_{name}": value for name, value in stream._asdict().items()}


def _enter(connection: sa.Connection, batch: Batch, outcome: Outcome) -> None:
    """Add to the worker's line in the ledger."""
    amounts = {
        "received": batch.received,
        "stored": outcome.stored,
        "duplicates": outcome.duplicates,
        "dead_letters": outcome.dead_letters,
    }
    added = {name: ledger.c[name] + amount for name, amount in amounts.items()}
    mine = ledger.c.worker == batch.worker
    if connection.execute(sa.update(ledger).where(mine).values(added)).rowcount == 0:
        connection.execute(sa.insert(ledger).values(worker=batch.worker, **amounts))


def _chunks(items: list[Row]) -> Iterable[list[Row]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
