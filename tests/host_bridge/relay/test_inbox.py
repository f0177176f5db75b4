"""The inbox is bounded, and presses come out first."""

import threading
import time

from host_bridge.contract.facts import Lane
from host_bridge.relay.inbox import OVERHEAD, Inbox
from host_bridge.transport.mqtt import Message


def message(mid: int, payload: bytes = b"") -> Message:
    return Message("t", payload, 0, mid, 1, 1, False)


def taken(inbox: Inbox, limit: int = 10) -> list[tuple[Lane, int]]:
    return [(each.lane, each.message.mid) for each in inbox.take(limit, 0)]


def test_presses_come_out_first_and_each_lane_in_order() -> None:
    inbox = Inbox()
    for mid in (1, 2):
        inbox.put("ordinary", message(mid))
        inbox.put("button", message(mid))
    assert taken(inbox, 3) == [("button", 1), ("button", 2), ("ordinary", 1)]
    assert taken(inbox) == [("ordinary", 2)]


def test_a_full_lane_refuses_and_asks_for_a_new_delivery_once_it_is_empty() -> None:
    inbox = Inbox(limit=2 * OVERHEAD)
    for mid in (1, 2, 3):
        inbox.put("ordinary", message(mid))
    inbox.put("button", message(4))
    assert inbox.depth() == 3
    assert inbox.overflowed() == set()
    assert taken(inbox) == [("button", 4), ("ordinary", 1), ("ordinary", 2)]
    assert inbox.overflowed() == {"ordinary"}
    assert inbox.overflowed() == set()


def test_large_messages_fill_it_sooner_and_an_empty_lane_takes_any() -> None:
    inbox = Inbox(limit=2 * OVERHEAD)
    inbox.put("ordinary", message(1, b"x" * 5 * OVERHEAD))
    inbox.put("ordinary", message(2))
    assert taken(inbox) == [("ordinary", 1)]
    inbox.put("ordinary", message(3))
    inbox.put("ordinary", message(4))
    assert taken(inbox) == [("ordinary", 3), ("ordinary", 4)]


def test_taking_waits_for_the_first_message_and_no_longer() -> None:
    inbox = Inbox()
    threading.Timer(0.1, inbox.put, ("ordinary", message(1))).start()
    began = time.monotonic()
    assert len(inbox.take(10, 5)) == 1
    assert time.monotonic() - began < 2


def test_a_closed_inbox_takes_in_nothing_and_gives_out_what_it_has() -> None:
    inbox = Inbox()
    inbox.put("ordinary", message(1))
    inbox.close()
    inbox.put("ordinary", message(2))
    assert taken(inbox) == [("ordinary", 1)]
    assert inbox.take(10, 5) == []
