"""What the relay has in hand: messages that are checked and not yet committed."""

from host_bridge.intake import Judged, letter
from host_bridge.relay.inbox import Received
from host_bridge.relay.throttle import Flood
from host_bridge.store import Batch, DeadLetter, Incoming

BATCH = 4_000
"""Facts in one transaction, or a few more: a message may hold several. A commit writes a page for
each unit, so a fact of many costs half of what it costs among a thousand."""


class Hand:
    """Messages with the facts and dead letters in them."""

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

    def __bool__(self) -> bool:
        return bool(self.messages)

    def add(self, received: Received, judged: Judged) -> None:
        """Take a message in hand."""
        self.messages.append(received)
        self.count += judged.count
        self._facts += judged.facts
        self._dead_letters += judged.dead_letters
        self.urgent = self.urgent or received.lane == "button"

    def put_off(self, received: Received, flood: Flood | None) -> None:
        """Take a message only to let the broker forget it, in its turn.

        Now and then one is kept as a dead letter, so that what was put off is on record. It has
        no key: the unit is not told that its fact is safe.
        """
        self.messages.append(received)
        if flood is None:
            return
        message = received.message
        reason = (
            f"its sender floods: {flood.messages} messages were put off since the last such line"
        )
        self.count += 1
        self._dead_letters.append(
            letter(message.topic, message.payload, reason, message.received_ms)
        )

    def batch(self) -> Batch:
        """What is to be committed."""
        return Batch(
            worker=self._worker,
            received=self.count,
            facts=self._facts,
            dead_letters=self._dead_letters,
        )
