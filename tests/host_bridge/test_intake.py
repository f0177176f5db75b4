"""Intake: whatever comes in, each item becomes one fact or one dead letter."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from host_bridge.contract.facts import (
    MAX_COUNT,
    MAX_MESSAGE,
    MAX_TIME,
    MIN_TIME,
    AnyFact,
    Press,
)
from host_bridge.intake import LONGEST_WAIT_MS, MAX_KEPT, TRANSIT_MS, Judged, judge, when

NOW = 1_760_000_000_000
FACT = "chequer/v1/s/u/fact"
BUTTON = "chequer/v1/s/u/button"


def seat(**changes: Any) -> dict[str, Any]:
    fact = {"type": "seat", "unit": "u", "boot": 1, "seq": 1, "up": 5, "occupied": True}
    return {**fact, **changes}


def judged(message: Any, topic: str = FACT) -> Judged:
    return judge(topic, json.dumps(message).encode(), NOW)


def reason(message: Any, topic: str = FACT) -> str:
    result = judged(message, topic)
    assert (result.count, len(result.facts)) == (1, 0)
    return result.dead_letters[0].reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["seat", "press", "tag", "boot", "chip", "urgent", "no", 1]),
        "unit": st.sampled_from(["u", "v", "", 7]),
        "boot": st.integers(-1, 2) | st.just(2**32) | st.just(2**70),
        "seq": st.integers(-1, 2) | st.none(),
        "up": st.integers(-1, 2**54),
        "age": st.integers(-1, 2**54),
        "at": st.integers(0, 2**43),
        "clock": st.sampled_from(["none", "host", "sntp", "sun"]),
        "occupied": st.booleans(),
        "tag": st.text("0123456789abcdef", min_size=31, max_size=33),
        "gesture": st.sampled_from(["hold", "three", "four"]),
        "extra": JSON,
    },
)
TOPICS = st.sampled_from([FACT, BUTTON, "chequer/v1/s/u/state", "a/b", ""]) | st.text()


def adds_up(result: Judged) -> bool:
    return result.count == len(result.facts) + len(result.dead_letters) >= 1


@given(TOPICS, st.binary(max_size=2000))
@example(FACT, b"[" * 1024)
@example(FACT, b'{"a":' * 200)
@example(FACT, b'{"type":"seat","unit":"\\ud800"}')
@example(FACT, b"\xef\xbb\xbf{}")
@example(FACT, b"[]")
@example(FACT, b"")
def test_any_bytes_become_facts_or_dead_letters(topic: str, payload: bytes) -> None:
    assert adds_up(judge(topic, payload, NOW))


@given(TOPICS, st.lists(NEARLY | JSON, max_size=6) | NEARLY | JSON)
def test_any_json_becomes_facts_or_dead_letters(topic: str, message: Any) -> None:
    result = judge(topic, json.dumps(message).encode(), NOW)
    assert adds_up(result)
    for item in result.facts:
        assert item.fact.unit == "u"
        assert 1 <= item.fact.seq <= MAX_COUNT
        assert msgspec.json.encode(item.fact)


def test_an_array_is_judged_item_by_item() -> None:
    result = judged([seat(seq=1), seat(seq=2, type="dance"), [], seat(seq=3)])
    assert result.count == 4
    assert [item.fact.seq for item in result.facts] == [1, 3]
    assert [letter.key and letter.key.seq for letter in result.dead_letters] == [2, None]


@pytest.mark.parametrize(
    ("message", "topic", "expected"),
    [
        (seat(type="dance"), FACT, "not a fact: Invalid value 'dance'"),
        (seat(unit="v"), FACT, "names the unit v, but came from u"),
        (seat(), BUTTON, "does not belong on the button lane"),
        ({**seat(), "type": "press"}, FACT, "does not belong on the ordinary lane"),
        (seat(seq=0), FACT, "not a fact: Expected `int` >= 1"),
        (seat(boot=2**32), FACT, "not a fact: Expected `int` <= 4294967295"),
        (seat(at=5), FACT, "not a fact: Expected `int` >= 1700000000000"),
        (seat(), "chequer/v1/s/u/state", "not a topic for facts"),
        ("seat", FACT, "not a fact: Expected `object`, got `str`"),
        ([], FACT, "an empty array"),
    ],
)
def test_a_dead_letter_says_why(message: Any, topic: str, expected: str) -> None:
    assert reason(message, topic).startswith(expected)


def test_a_message_that_is_not_json_says_so() -> None:
    assert judge(FACT, b"{'a': 1}", NOW).dead_letters[0].reason.startswith("not JSON")
    assert judge(FACT, b'{"a": "\xff"}', NOW).dead_letters[0].reason == "not UTF-8: byte 7"


def test_the_longest_message_is_read_and_a_byte_more_is_not() -> None:
    longest = json.dumps(seat()).encode().ljust(MAX_MESSAGE)
    assert len(judge(FACT, longest, NOW).facts) == 1
    (letter,) = judge(FACT, longest + b" ", NOW).dead_letters
    assert letter.reason.startswith("too long: 1025 bytes")
    assert letter.payload == longest + b" "


def test_a_huge_payload_is_cut_and_the_reason_says_so() -> None:
    (letter,) = judge(FACT, b"x" * 9000, NOW).dead_letters
    assert len(letter.payload) == MAX_KEPT
    assert letter.reason.endswith("the first 4096 of 9000 bytes were kept")


def test_the_key_of_an_unknown_type_is_known_unless_it_names_another_unit() -> None:
    assert judged(seat(type="dance", seq=9)).dead_letters[0].key == (("s", "u", 1, "ordinary"), 9)
    assert judged(seat(type="dance", unit="v")).dead_letters[0].key is None


def test_unknown_fields_are_ignored() -> None:
    (item,) = judged(seat(uid="04a1b2c3d4e5f6")).facts
    assert b"04a1" not in msgspec.json.encode(item.fact)


def press(**times: Any) -> AnyFact:
    return Press(unit="u", boot=1, seq=1, up=5, **times)


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (press(age=250, at=NOW - 9, clock="sntp"), (NOW - 250, "age")),
        (press(age=250, at=NOW - 2_250, clock="sntp"), (NOW - 250, "age")),
        (press(age=250, at=NOW - 2_251, clock="sntp"), (NOW - 2_251, "clock")),
        (press(age=250, at=NOW - 86_400_000, clock="host"), (NOW - 86_400_000, "clock")),
        (press(age=250, at=NOW - 86_400_000, clock="none"), (NOW - 250, "age")),
        (press(age=250, at=NOW - 31 * 86_400_000, clock="sntp"), (NOW - 250, "age")),
        (press(age=250, at=NOW + 9 * 31_536_000_000, clock="sntp"), (NOW - 250, "age")),
        (press(at=NOW - 9, clock="host"), (NOW - 9, "clock")),
        (press(at=NOW + 9, clock="host"), (NOW, "clock")),
        (press(at=NOW + 3_600_000, clock="host"), (NOW, "arrival")),
        (press(at=NOW - 9, clock="none"), (NOW, "arrival")),
        (press(age=2**53), (NOW, "arrival")),
        (press(), (NOW, "arrival")),
    ],
)
def test_the_time_comes_from_the_best_that_is_known(
    fact: AnyFact, expected: tuple[int, str]
) -> None:
    assert when(fact, NOW) == expected


GOOD = st.sampled_from(["host", "sntp"])
DAY = 86_400_000


@given(
    st.none() | st.integers(0, 2**53),
    st.none() | st.integers(MIN_TIME, MAX_TIME),
    st.sampled_from(["none", "host", "sntp"]),
    st.integers(MIN_TIME, MAX_TIME),
)
def test_no_time_is_before_any_unit_or_later_than_its_arrival(
    age: int | None, at: int | None, clock: str, received: int
) -> None:
    time, sure = when(press(age=age, at=at, clock=clock), received)
    assert MIN_TIME <= time <= received
    if age is not None and sure != "arrival" and received - age >= MIN_TIME:
        assert time <= received - age, "the age is the least that has passed"
    if sure == "clock":
        assert clock != "none"


@given(st.integers(0, DAY), st.integers(0, 20 * DAY), st.integers(-1_000, 1_000), GOOD)
def test_waiting_in_the_broker_makes_a_fact_no_younger(
    age: int, waited: int, off: int, clock: str
) -> None:
    """A unit whose clock is right to a second: so is the time, however long the message waited."""
    happened = NOW - waited - age
    time, _ = when(press(age=age, at=happened + off, clock=clock), NOW)
    assert abs(time - happened) <= 3_000


@given(
    st.lists(st.tuples(st.integers(1, DAY), st.integers(0, 20 * DAY)), min_size=2, max_size=9),
    st.integers(-1_000, 1_000),
    GOOD,
)
def test_facts_of_a_boot_keep_their_order_to_four_seconds(
    gaps: list[tuple[int, int]], off: int, clock: str
) -> None:
    """Each happens after the one before and waits as long as it likes on its way."""
    begin = NOW - 400 * DAY
    happened, last = begin, MIN_TIME
    for gap, waited in gaps:
        happened += gap
        time, _ = when(press(age=gap, at=happened + off, clock=clock), happened + gap + waited)
        assert time >= last - 4_000
        last = max(last, time)


@given(st.integers(0, DAY), st.integers(-50, 50), st.integers(0, 2_000))
def test_clock_that_is_years_off_changes_nothing_when_there_is_an_age(
    age: int, years: int, transit: int
) -> None:
    happened = NOW - transit - age
    at = min(max(MIN_TIME, happened + years * 365 * DAY), MAX_TIME)
    if abs(at - happened) > LONGEST_WAIT_MS + TRANSIT_MS:
        assert when(press(age=age, at=at, clock="sntp"), NOW) == (NOW - age, "age")
