"""Intake: one MQTT message in, facts and dead letters out. Pure, and never raises.

A message holds one fact (an object) or several (an array). Each item is judged on its own, and
each becomes exactly one fact or one dead letter.
"""

from functools import lru_cache

import msgspec

from host_bridge.contract import facts, topics
from host_bridge.contract.facts import MAX_MESSAGE, AnyFact, Count, Lane, Name
from host_bridge.store.records import DeadLetter, Incoming, Key, Stream, Sure

MAX_KEPT = 4096
"""Bytes of a payload that a dead letter keeps. Nothing a unit may send is that long."""

CLOCK_TOLERANCE_MS = 60_000
"""A unit's clock that is further ahead of the host's than this is not believed."""

TRANSIT_MS = 2_000
"""What a message may take on its way, and two good clocks may differ, before it has waited."""

LONGEST_WAIT_MS = 30 * 86_400_000
"""No message waits longer in a broker. A clock that says so is wrong."""

_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_item = msgspec.json.Decoder(msgspec.Raw).decode
_decode_fact = msgspec.json.Decoder(AnyFact).decode


class _Numbers(msgspec.Struct):
    """As much of an item as its key needs."""

    unit: Name
    boot: Count
    seq: Count


_decode_numbers = msgspec.json.Decoder(_Numbers).decode


class Judged(msgspec.Struct, frozen=True, gc=False):
    """What a message held. `count` is known before its items are judged."""

    count: int
    facts: list[Incoming]
    dead_letters: list[DeadLetter]


class _Unusable(Exception):  # noqa: N818 (not an error: the reason of a dead letter)
    """Why a message or an item can't be used."""


def judge(topic: str, payload: bytes, received_ms: int) -> Judged:
    """Say what a message holds.

    Args:
        topic: where it came from.
        payload: any bytes.
        received_ms: the host's clock when it came, Unix milliseconds.
    """
    if (quick := _only_fact(topic, payload, received_ms)) is not None:
        return Judged(1, [quick], [])
    try:
        site, unit, lane = _address(topic)
        items = _items(payload)
    except _Unusable as reason:
        unusable = letter(topic, payload, str(reason), received_ms)
        return Judged(1, [], [unusable])
    found: list[Incoming] = []
    letters: list[DeadLetter] = []
    for item in items:
        try:
            fact = _fact(item, unit, lane)
        except _Unusable as reason:
            key = _key(item, site, unit, lane)
            letters.append(letter(topic, item, str(reason), received_ms, key))
            continue
        found.append(_incoming(site, lane, fact, received_ms, topic))
    return Judged(len(items), found, letters)


def _only_fact(topic: str, payload: bytes, received_ms: int) -> Incoming | None:
    """Nearly every message: one good fact in plain ASCII. None: it takes a closer look."""
    if len(payload) > MAX_MESSAGE or not payload.isascii() or payload[:1] != b"{":
        return None
    try:
        site, unit, lane = _address(topic)
        return _incoming(site, lane, _fact(payload, unit, lane), received_ms, topic)
    except _Unusable:
        return None


def _incoming(site: str, lane: Lane, fact: AnyFact, received_ms: int, topic: str) -> Incoming:
    time_ms, sure = when(fact, received_ms)
    return Incoming(
        site=site,
        lane=lane,
        fact=fact,
        time_ms=time_ms,
        sure=sure,
        received_ms=received_ms,
        topic=topic,
    )


def when(fact: AnyFact, received_ms: int) -> tuple[int, Sure]:
    """When it happened in Unix milliseconds, and how that is known.

    The age is best, because nobody's clock enters into it. But it stopped growing when the unit
    sent the message: what then waited in the broker happened earlier than `received - age`, by
    as long as it waited. So where the unit's own clock says that the fact is older than that by
    more than `TRANSIT_MS`, the clock is right about it, up to a month (then rather the clock is
    wrong). Without an age there is the clock, if it was ever set and is not ahead of ours; then
    the time of arrival. No result is later than the arrival.
    """
    clock_ms = _clock(fact, received_ms)
    if fact.age is not None and received_ms - fact.age >= facts.MIN_TIME:
        latest_ms = received_ms - fact.age
        if clock_ms is not None and TRANSIT_MS < latest_ms - clock_ms <= LONGEST_WAIT_MS:
            return clock_ms, "clock"
        return latest_ms, "age"
    if clock_ms is not None:
        return clock_ms, "clock"
    return received_ms, "arrival"


def _clock(fact: AnyFact, received_ms: int) -> int | None:
    """What the unit's own clock says, not later than the arrival; None if it can't be right."""
    if fact.at is None or fact.clock == "none" or fact.at > received_ms + CLOCK_TOLERANCE_MS:
        return None
    return min(fact.at, received_ms)


@lru_cache(maxsize=20_000)
def _address(topic: str) -> tuple[str, str, Lane]:
    parts = topics.parse(topic)
    lane = topics.lane_of(parts[2]) if parts else None
    if parts is None or lane is None:
        raise _Unusable("not a topic for facts")
    return parts[0], parts[1], lane


def _items(payload: bytes) -> list[bytes]:
    if len(payload) > MAX_MESSAGE:
        raise _Unusable(f"too long: {len(payload)} bytes, {MAX_MESSAGE} are allowed")
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise _Unusable(f"not UTF-8: byte {error.start}") from error
    try:
        if payload.lstrip()[:1] == b"[":
            items = [bytes(item) for item in _decode_items(payload)]
        else:
            items = [bytes(_decode_item(payload))]
    except (msgspec.DecodeError, RecursionError) as error:
        raise _Unusable(f"not JSON: {error}") from error
    if not items:
        raise _Unusable("an empty array")
    return items


def _fact(item: bytes, unit: str, lane: Lane) -> AnyFact:
    try:
        fact: AnyFact = _decode_fact(item)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _Unusable(f"not a fact: {error}") from error
    if fact.unit != unit:
        raise _Unusable(f"names the unit {fact.unit}, but came from {unit}")
    if facts.lane_of(fact) != lane:
        raise _Unusable(f"does not belong on the {lane} lane")
    return fact


def _key(item: bytes, site: str, unit: str, lane: Lane) -> Key | None:
    """The key of an item that is no fact, if that much of it can be read."""
    try:
        numbers = _decode_numbers(item)
    except (msgspec.DecodeError, RecursionError):
        return None
    if numbers.unit != unit:
        return None
    return Key(Stream(site, unit, numbers.boot, lane), numbers.seq)


def letter(
    topic: str, payload: bytes, reason: str, received_ms: int, key: Key | None = None
) -> DeadLetter:
    """A dead letter; of a payload that is too long its beginning."""
    if len(payload) > MAX_KEPT:
        reason = f"{reason}; the first {MAX_KEPT} of {len(payload)} bytes were kept"
        payload = payload[:MAX_KEPT]
    return DeadLetter(received_ms=received_ms, topic=topic, payload=payload, reason=reason, key=key)
