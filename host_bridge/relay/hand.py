"""What the relay has in hand: messages that are checked and not yet committed."""

from host_bridge.intake import Judged
from host_bridge.relay.inbox import Received
from host_bridge.store import Batch, DeadLetter, Incoming


class Hand:
    """Messages with the facts and dead letters in them. Its length is in messages."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._facts: list[Incoming] = []
        self._dead_letters: list[DeadLetter] = []
        self.messages: list[Received] = []
        """In the order of arrival, for each lane."""
        self.count = 0
        """Facts that were received, counted before they were judged."""
        self.urgent = False
        """Is something of the button's lane among them?"""

    def __len__(self) -> int:
        return len(self.messages)

    def add(self, received: Received, judged: Judged) -> None:
        """Take a message in hand."""
        self.messages.append(received)
        self.count += judged.count
        self._facts += judged.facts
        self._dead_letters += judged.dead_letters
        self.urgent = self.urgent or received.lane == "button"

    def batch(self) -> Batch:
        """What is to be committed."""
        return Batch(
            worker=self._worker,
            received=self.count,
            facts=self._facts,
            dead_letters=self._dead_letters,
        )
