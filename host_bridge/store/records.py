"""What goes into the store and what comes out of it."""

from typing import Literal, NamedTuple

import msgspec

from host_bridge.contract.facts import AnyFact, Lane
from host_bridge.store.spans import Span

Sure = Literal["age", "clock", "arrival"]
"""Where a fact's time comes from: its age, the unit's own clock, or the order of arrival."""

TagKind = Literal["headset", "badge", "cleaner"]
TagStatus = Literal["issued", "returned", "lost"]


class Stream(NamedTuple):
    """Within a stream, `seq` counts 1, 2, 3 ... without holes."""

    site: str
    unit: str
    boot: int
    lane: Lane


class Key(NamedTuple):
    """What makes a fact unique."""

    stream: Stream
    seq: int


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be understood, kept as it came, or could not be stored as a fact.

    `key` is known when at least that much could be read: then the unit is told that the host
    has it, and does not send it for ever.
    """

    received_ms: int
    topic: str
    payload: bytes
    reason: str
    key: Key | None = None


class Incoming(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fact that was understood, with the time that the host worked out for it."""

    site: str
    lane: Lane
    fact: AnyFact
    time_ms: int
    sure: Sure
    received_ms: int
    topic: str

    @property
    def stream(self) -> Stream:
        """The stream that the fact belongs to."""
        return Stream(self.site, self.fact.unit, self.fact.boot, self.lane)

    @property
    def key(self) -> Key:
        """The fact's key."""
        return Key(self.stream, self.fact.seq)

    def as_dead_letter(self, reason: str) -> DeadLetter:
        """The fact as a dead letter, because it can't be stored as what it is."""
        return DeadLetter(
            received_ms=self.received_ms,
            topic=self.topic,
            payload=msgspec.json.encode(self.fact),
            reason=reason,
            key=self.key,
        )


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker commits in one transaction.

    `received` was counted when the messages came in, apart from the two lists, so that the
    ledger proves something.
    """

    worker: str
    received: int
    facts: list[Incoming]
    dead_letters: list[DeadLetter]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit did.

    `acknowledge` has, for each touched stream, its first span and the spans that were touched,
    in ascending order. An `Ack` holds eight of them at most.
    """

    stored: int
    duplicates: int
    dead_letters: int
    acknowledge: dict[Stream, list[Span]]


class StoredFact(msgspec.Struct, frozen=True, kw_only=True):
    """A committed fact. `id` grows in the order of the commits."""

    id: int
    site: str
    unit: str
    boot: int
    lane: Lane
    seq: int
    time_ms: int
    sure: Sure
    received_ms: int
    fact: AnyFact


class StoredDeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter in the table. `payload` may be cut; `reason` says so then."""

    id: int
    received_ms: int
    topic: str
    payload: bytes
    reason: str


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker has committed since the beginning, in facts."""

    worker: str
    received: int
    stored: int
    duplicates: int
    dead_letters: int

    @property
    def difference(self) -> int:
        """Received facts whose outcome is unknown. Anything but zero is a defect."""
        return self.received - self.stored - self.duplicates - self.dead_letters


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker said about itself a moment ago.

    `in_flight` is what was received and is not yet committed: the facts in the batch at hand,
    and `queue_depth` messages that nobody has looked into yet. Times are Unix milliseconds;
    `last_commit_ms` is None before the first commit. `commits`: how many it has
    made since it began; they took `commit_ms` milliseconds together. The store fills both in.
    """

    worker: str
    in_flight: int
    queue_depth: int
    last_commit_ms: int | None
    reconnects: int
    updated_ms: int
    commits: int = 0
    commit_ms: int = 0


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Sequence numbers of a stream that the host has never seen although later ones exist.

    `dropped` of the `missing` are explained: the unit's flash was full and it said so.
    """

    site: str
    unit: str
    lane: Lane
    boot: int
    missing: int
    since_ms: int
    dropped: int = 0


class TagRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the register. `person` is a number; names live in one table only."""

    tag: str
    kind: TagKind
    person: int | None
    status: TagStatus


class IncidentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about an incident whose last report was (`boot`, `seq`) of `unit`."""

    id: int
    unit: str
    boot: int
    seq: int
    word: str
    time_ms: int


class UnitMode(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has asked of a unit."""

    drill_until_ms: int | None = None
    quiet: bool = False


class UnitNow(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit's facts say of it: its boot, with which firmware if that is known.

    `heard_ms` is the minute, in Unix milliseconds, in which an ordinary fact arrived last.
    """

    boot: int
    firmware: str | None
    heard_ms: int
