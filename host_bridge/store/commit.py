"""The one transaction that takes in a batch.

A number that lies in no span was never received, so its fact is inserted without asking. One that
lies in a span is compared with what is there: the same is a duplicate; different content under the
same key is kept as a dead letter, because throwing it away would be a silent loss.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any, get_args

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import LANES, AnyFact, Boot, Dropped
from host_bridge.store import postgres, sqlite
from host_bridge.store.keyed import Keyed, numbers_of, with_keys
from host_bridge.store.projections import project
from host_bridge.store.records import Batch, DeadLetter, Incoming, Key, Outcome, Stream
from host_bridge.store.spans import Known, Span, covers, grow, holder
from host_bridge.store.tables import dead_letters, facts, ledger, spans, tails

decode_fact = msgspec.json.Decoder(AnyFact).decode
_encode_fact = msgspec.json.Encoder().encode
_STREAM = ("site", "unit", "boot", "lane")
_KEY = (*_STREAM, "seq")
_FACT = tuple(column.name for column in facts.columns if column.name != "id")
_TAGS = {kind: kind.__struct_config__.tag for kind in get_args(AnyFact)}
_CONFLICT = "key conflict: another fact is stored under this boot and sequence number"


def _rows_of(table: sa.Table, *wanted: str) -> sa.Select[Any]:
    """The rows of one stream, which is handed in as parameters.

    One question for each stream, because SQLAlchemy compiles it only once then; a list of
    streams would be compiled at every commit, and SQLite looks up `(a, b) IN (...)` by scanning.
    """
    here = [table.c[name] == sa.bindparam(name) for name in _STREAM]
    return sa.select(*(table.c[name] for name in wanted)).where(*here)


_NUMBERS: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_AMOUNTS = ("received", "stored", "duplicates", "dead_letters")
_ADD = (
    sa.update(ledger)
    .where(ledger.c.worker == sa.bindparam("mine"))
    .values({name: ledger.c[name] + sa.bindparam(f"more_{name}") for name in _AMOUNTS})
)
_FACTS_OF = _rows_of(facts, "seq", "body").where(facts.c.seq.in_(_NUMBERS))
_TAIL_OF = _rows_of(tails, "last")
_LETTERS_OF = _rows_of(dead_letters, "seq").where(dead_letters.c.seq.in_(_NUMBERS))


def take(connection: sa.Connection, batch: Batch) -> Outcome:
    """Write the batch and say what became of it. The caller commits."""
    keyed = with_keys(batch.facts)
    numbers = numbers_of(keyed, batch.dead_letters)
    if _on_postgres(connection):
        postgres.lock_units(connection, numbers)
        known = postgres.known_spans(connection, numbers)
    else:
        known = sqlite.known_spans(connection, numbers)
    fresh, again = _split(keyed, known)
    duplicates, conflicts = _judge_again(connection, fresh, again)
    letters = [*batch.dead_letters, *conflicts]
    _insert_dead_letters(connection, letters)
    acknowledge = _extend_spans(connection, known, numbers)
    outcome = Outcome(
        stored=len(fresh),
        duplicates=duplicates,
        dead_letters=len(letters),
        acknowledge=acknowledge,
    )
    _enter(connection, batch, outcome)
    project(connection, fresh, known)
    # Last: on PostgreSQL other commits wait from here on.
    _insert_facts(connection, fresh)
    return outcome


def _on_postgres(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _split(
    keyed: list[Keyed], known: dict[Stream, list[Known]]
) -> tuple[dict[Key, Incoming], list[Incoming]]:
    """Facts that are new for certain, and those that were received before (perhaps just now)."""
    fresh: dict[Key, Incoming] = {}
    again: list[Incoming] = []
    for key, item in keyed:
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
            conflicts.append(item.as_dead_letter(_CONFLICT))
    return duplicates, conflicts


def _same(one: AnyFact, other: AnyFact) -> bool:
    """The same happening? Age and the unit's clock may differ from one sending to the next."""
    timeless = partial(msgspec.structs.replace, age=None, at=None, clock="none")
    return bool(timeless(one) == timeless(other))


def _stored_facts(connection: sa.Connection, keys: set[Key]) -> dict[Key, AnyFact]:
    return {
        Key(stream, seq): decode_fact(body)
        for stream, numbers in _by_stream(keys).items()
        for seq, body in connection.execute(_FACTS_OF, {**stream._asdict(), "numbers": numbers})
    }


def _keys_of_dead_letters(connection: sa.Connection, keys: set[Key]) -> set[Key]:
    return {
        Key(stream, seq)
        for stream, numbers in _by_stream(keys).items()
        for (seq,) in connection.execute(_LETTERS_OF, {**stream._asdict(), "numbers": numbers})
    }


def _by_stream(keys: set[Key]) -> dict[Stream, list[int]]:
    numbers: dict[Stream, list[int]] = defaultdict(list)
    for stream, seq in keys:
        numbers[stream].append(seq)
    return numbers


def _insert_facts(connection: sa.Connection, fresh: dict[Key, Incoming]) -> None:
    rows = [
        (
            *stream,
            seq,
            _TAGS[type(item.fact)],
            item.time_ms,
            item.sure,
            item.received_ms,
            _encode_fact(item.fact).decode(),
        )
        for (stream, seq), item in fresh.items()
    ]
    for item in fresh.values():
        if isinstance(item.fact, Boot) and item.fact.last is not None:
            _note_tails(connection, item, item.fact)
        elif isinstance(item.fact, Dropped):
            # Nothing else may ever tell of that boot: its own boot fact may be among the dropped.
            there = Stream(item.site, item.fact.unit, item.fact.last.boot, item.fact.lane)
            _note_tail(connection, there, item.fact.last.seq, item.received_ms)
    if _on_postgres(connection):
        postgres.append_facts(connection, [dict(zip(_FACT, row, strict=True)) for row in rows])
    else:
        sqlite.insert(connection, facts, rows, replace=False)


def _note_tails(connection: sa.Connection, item: Incoming, fact: Boot) -> None:
    """Keep how far the boot before had counted."""
    assert fact.last is not None
    for lane in LANES:
        counted = fact.last.ordinary if lane == "ordinary" else fact.last.button
        stream = Stream(item.site, fact.unit, fact.last.boot, lane)
        if counted:
            _note_tail(connection, stream, counted, item.received_ms)


def _note_tail(connection: sa.Connection, stream: Stream, counted: int, since_ms: int) -> None:
    """Keep that a stream has counted so far; it only grows."""
    known = connection.scalar(_TAIL_OF, stream._asdict())
    if known is None:
        values = {**stream._asdict(), "last": counted, "since_ms": since_ms}
        connection.execute(sa.insert(tails).values(values))
    elif known < counted:
        here = [tails.c[name] == value for name, value in stream._asdict().items()]
        connection.execute(sa.update(tails).where(*here).values(last=counted))


def _insert_dead_letters(connection: sa.Connection, letters: list[DeadLetter]) -> None:
    if not letters:
        return
    nowhere: dict[str, object] = dict.fromkeys(_KEY)
    rows = [
        {
            "received_ms": letter.received_ms,
            "topic": _storable(letter.topic),
            "payload": letter.payload,
            "reason": _storable(letter.reason),
            **({**letter.key.stream._asdict(), "seq": letter.key.seq} if letter.key else nowhere),
        }
        for letter in letters
    ]
    connection.execute(sa.insert(dead_letters), rows)


def _storable(text: str) -> str:
    """Text that every database takes: one character it refuses would hold up the batch for ever."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _extend_spans(
    connection: sa.Connection,
    known: dict[Stream, list[Known]],
    numbers: dict[Stream, dict[int, int]],
) -> dict[Stream, list[Span]]:
    """Write the grown spans, and say which of them to acknowledge."""
    gone: list[dict[str, object]] = []
    come: list[tuple[Any, ...]] = []
    acknowledge: dict[Stream, list[Span]] = {}
    for stream, touched in numbers.items():
        old, new = known[stream], grow(known[stream], touched)
        if len(new) == 1 and (not old or (len(old) == 1 and old[0].first == new[0].first)):
            # Nearly always: a stream without a hole that has grown at its end.
            if new != old:
                come.append((*stream, *new[0]))
            acknowledge[stream] = [(new[0].first, new[0].last)]
            continue
        kept = {span.first for span in new}
        here = {f"b_{name}": value for name, value in stream._asdict().items()}
        gone += [{**here, "b_first": span.first} for span in old if span.first not in kept]
        before = set(old)
        come += [(*stream, *span) for span in new if span not in before]
        acknowledge[stream] = _worth_telling(new, touched)
    if gone:
        columns = (*_STREAM, "first")
        asked = [spans.c[name] == sa.bindparam(f"b_{name}") for name in columns]
        connection.execute(sa.delete(spans).where(*asked), gone)
    if _on_postgres(connection):
        postgres.put_spans(connection, come)
    else:
        sqlite.insert(connection, spans, come, replace=True)
    return acknowledge


def _worth_telling(grown: list[Known], touched: Iterable[int]) -> list[Span]:
    """A stream's first span, and those with the numbers that came just now."""
    places = {0} if len(grown) == 1 else {0, *(holder(grown, number) for number in touched)}
    return [(grown[place].first, grown[place].last) for place in sorted(places)]


def _enter(connection: sa.Connection, batch: Batch, outcome: Outcome) -> None:
    """Add to the worker's line in the ledger."""
    amounts = {
        "received": batch.received,
        "stored": outcome.stored,
        "duplicates": outcome.duplicates,
        "dead_letters": outcome.dead_letters,
    }
    more = {f"more_{name}": amount for name, amount in amounts.items()}
    if connection.execute(_ADD, {"mine": batch.worker, **more}).rowcount == 0:
        connection.execute(sa.insert(ledger).values(worker=batch.worker, **amounts))
