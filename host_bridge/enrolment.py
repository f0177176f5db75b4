"""Enrolment at a desk: the next tag that is presented there is entered in the register.

The unit is asked for it, reports the tag's hash as a fact like any other, and is told what became
of it. Who the tag is for stays in this process until it is in the register.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from host_bridge.contract import topics
from host_bridge.contract.facts import Tag
from host_bridge.contract.messages import Enrol, Verdict
from host_bridge.settings import Broker
from host_bridge.store import Store, StoredFact, TagKind
from host_bridge.transport.mqtt import Connection

SECONDS = 60
"""How long a desk waits for the tag."""

CONNECT_SECONDS = 10.0
_POLL_SECONDS = 0.05
_LATE_SECONDS = 3.0
_PORTION = 1_000

Outcome = Literal["enrolled", "already-known", "nobody-came"]

_encode = msgspec.json.Encoder().encode


class EnrolmentError(Exception):
    """The desk can't be asked. The message says why; nothing was entered."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be entered."""

    site: str
    unit: str
    kind: TagKind
    holder: str | None


def enrol(
    broker: Broker,
    store: Store,
    wanted: Wanted,
    *,
    ready: Callable[[], object],
    seconds: int = SECONDS,
) -> Outcome:
    """Ask the desk, wait, enter the tag, tell the desk.

    Args:
        broker: where the broker listens.
        store: the register, and where the relay commits the desk's facts.
        wanted: whose tag it is going to be.
        ready: called when the desk has been asked.
        seconds: how long the desk waits, 300 at the most.

    Raises:
        EnrolmentError: the broker can't be reached.
        RegistryError: the entry makes no sense.
        StoreUnavailableError: the database can't be used.
    """
    store.registry.check(wanted.kind, wanted.holder)
    connection = Connection(broker, f"enrol-{time.time_ns()}", filters=[], clean=True)
    connection.start()
    try:
        return _at_desk(connection, store, wanted, ready=ready, seconds=seconds)
    except KeyboardInterrupt:
        connection.publish(_topic(wanted, "enrol"), _encode(Enrol(seconds=0)))
        raise
    finally:
        connection.stop()


def _at_desk(
    connection: Connection,
    store: Store,
    wanted: Wanted,
    *,
    ready: Callable[[], object],
    seconds: int,
) -> Outcome:
    cursor = store.newest()
    _ask(connection, wanted, seconds)
    ready()
    fact = _await(store, wanted, cursor, time.monotonic() + seconds + _LATE_SECONDS)
    if fact is None:
        return "nobody-came"
    outcome = _enter(store, wanted, fact)
    _tell(connection, wanted, fact, outcome)
    return outcome


def _ask(connection: Connection, wanted: Wanted, seconds: int) -> None:
    question = _encode(Enrol(seconds=seconds))
    if not connection.wait(CONNECT_SECONDS) or not connection.publish(
        _topic(wanted, "enrol"), question
    ):
        raise EnrolmentError("The broker can't be reached; nothing was entered. Try again.")


def _await(store: Store, wanted: Wanted, cursor: int, deadline: float) -> StoredFact | None:
    """The tag that the desk reports; None when nobody came in time."""
    while time.monotonic() < deadline:
        for fact in store.facts_after(cursor, _PORTION):
            cursor = fact.id
            here = fact.site == wanted.site and fact.unit == wanted.unit
            if here and isinstance(fact.fact, Tag) and fact.fact.enrol:
                return fact
        time.sleep(_POLL_SECONDS)
    return None


def _enter(store: Store, wanted: Wanted, fact: StoredFact) -> Outcome:
    """A tag that somebody has already stays theirs; one that came back may be given out again."""
    assert isinstance(fact.fact, Tag)
    known = store.registry.record(wanted.site, fact.fact.tag)
    if known is not None and known.status == "issued":
        return "already-known"
    store.registry.issue(wanted.site, fact.fact.tag, wanted.kind, wanted.holder)
    return "enrolled"


def _tell(connection: Connection, wanted: Wanted, fact: StoredFact, outcome: Outcome) -> None:
    if outcome == "nobody-came":
        return
    now = time.time_ns() // 1_000_000
    verdict = Verdict(boot=fact.boot, seq=fact.seq, verdict=outcome, time=now)
    connection.publish(_topic(wanted, "verdict"), _encode(verdict))


def _topic(wanted: Wanted, word: str) -> str:
    return topics.down(wanted.site, wanted.unit, word)
