"""The inbox: what has come in and nobody has looked at yet. Bounded, the button's lane first."""

import threading
from collections import deque

import msgspec

from host_bridge.contract.facts import Lane
from host_bridge.transport.mqtt import Message

LIMIT = 32 * 2**20
"""Bytes of a lane. Normally the broker's window of unacknowledged deliveries keeps it far below."""

OVERHEAD = 1_000
"""Bytes that a message is counted with beside its payload."""


class Received(msgspec.Struct, frozen=True):
    """A message and the lane on whose connection it came."""

    lane: Lane
    message: Message


class Inbox:
    """A queue between the network's threads and the relay's. Its methods never block for long."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lanes: dict[Lane, deque[Message]] = {"button": deque(), "ordinary": deque()}
        self._bytes: dict[Lane, int] = {"button": 0, "ordinary": 0}
        self._filled = threading.Condition()
        self._closed = False
        self._refused: set[Lane] = set()

    def put(self, lane: Lane, message: Message) -> None:
        """Take in a message; one too many is left to the broker, which still has it."""
        with self._filled:
            queue, size = self._lanes[lane], _size(message)
            full = self._bytes[lane] + size > self._limit
            # An empty lane takes in anything, or what is too large would come again for ever.
            if self._closed or (full and queue):
                self._refused.add(lane)
                return
            queue.append(message)
            self._bytes[lane] += size
            self._filled.notify()

    def wait(self, seconds: float) -> None:
        """Wait up to `seconds` for a message, or for the end."""
        with self._filled:
            self._filled.wait_for(lambda: self._closed or any(self._lanes.values()), seconds)

    def take(self, limit: int, seconds: float) -> list[Received]:
        """Up to `limit` messages, the button's first; waits up to `seconds` for the first one."""
        self.wait(seconds)
        with self._filled:
            taken: list[Received] = []
            for lane, queue in self._lanes.items():
                while queue and len(taken) < limit:
                    message = queue.popleft()
                    self._bytes[lane] -= _size(message)
                    taken.append(Received(lane, message))
            return taken

    def depth(self) -> int:
        """Messages that wait."""
        with self._filled:
            return sum(map(len, self._lanes.values()))

    def close(self) -> None:
        """Take in no more. What is in it can still be taken out."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()

    def overflowed(self) -> set[Lane]:
        """Lanes of which a message was refused and that are empty now; asking clears the mark."""
        with self._filled:
            ready = {lane for lane in self._refused if not self._lanes[lane]}
            self._refused -= ready
            return ready


def _size(message: Message) -> int:
    return OVERHEAD + len(message.payload)
