"""Acknowledgements are gathered, cut to size, and the button's go first."""

import msgspec

from host_bridge.contract.facts import MAX_COUNT, MAX_MESSAGE, Lane
from host_bridge.contract.messages import Ack
from host_bridge.relay.acks import GATHER_S, AckMessage, Acks
from host_bridge.store import Stream

NOW_MS = 1_760_000_000_000


def stream(lane: Lane = "ordinary", unit: str = "u") -> Stream:
    return Stream("s", unit, 7, lane)


def decoded(message: AckMessage) -> Ack:
    return msgspec.json.decode(message.payload, type=Ack)


def test_the_buttons_acknowledgement_is_due_at_once() -> None:
    acks = Acks()
    acks.add(stream("button"), [(1, 1)], 10.0)
    (message,) = acks.take(10.0, NOW_MS)
    assert message.topic == "chequer/v1/s/u/down/ack"
    assert decoded(message) == Ack(boot=7, lane="button", spans=[(1, 1)], time=NOW_MS)


def test_ordinary_acknowledgements_are_gathered_from_the_first_on() -> None:
    acks = Acks()
    acks.add(stream(), [(1, 3)], 10.0)
    acks.add(stream(), [(1, 5)], 10.9)
    assert acks.take(10.0 + GATHER_S - 0.01, NOW_MS) == []
    assert acks.next_due() == 10.0 + GATHER_S
    (message,) = acks.take(10.0 + GATHER_S, NOW_MS)
    assert decoded(message).spans == [(1, 5)]
    assert acks.next_due() is None
    assert acks.take(99.0, NOW_MS) == []


def test_the_button_goes_first_when_all_are_due() -> None:
    acks = Acks()
    acks.add(stream(), [(1, 1)], 10.0)
    acks.add(stream("button"), [(1, 1)], 10.0)
    assert [each.lane for each in acks.take(10.0, NOW_MS, everything=True)] == [
        "button",
        "ordinary",
    ]


def test_an_earlier_boot_is_acknowledged_first_and_later_ones_with_it() -> None:
    """A fact of this moment goes ahead of what an earlier boot left, and so does its commit.

    A unit forgets its oldest facts only: told of the later boot first, it would hear nothing more
    of it for ten seconds, until it sends the fact again.
    """
    acks = Acks()
    later = Stream("s", "u", 9, "ordinary")
    acks.add(later, [(1, 1)], 10.0)
    acks.add(stream(), [(1, 5)], 10.4)
    acks.add(stream(unit="v"), [(1, 5)], 10.4)
    both = acks.take(10.0 + GATHER_S, NOW_MS)
    assert [decoded(message).boot for message in both] == [7, 9]
    assert [message.topic for message in acks.take(12.0, NOW_MS)] == ["chequer/v1/s/v/down/ack"]


def test_many_spans_take_several_messages_none_of_them_too_long() -> None:
    acks = Acks()
    spans = [(MAX_COUNT - 3 * n, MAX_COUNT - 3 * n) for n in range(20)][::-1]
    acks.add(Stream("s" * 32, "u" * 32, MAX_COUNT, "ordinary"), spans, 10.0)
    messages = acks.take(11.0, NOW_MS)
    assert [len(decoded(message).spans) for message in messages] == [8, 8, 4]
    assert [span for message in messages for span in decoded(message).spans] == spans
    assert all(len(message.payload) <= MAX_MESSAGE for message in messages)
