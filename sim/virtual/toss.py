"""Delivery in any order, and twice, as by a cluster whose members hand a session to each other.

MQTT promises an order within a topic of one connection only, and QoS 1 promises that nothing comes
less than once.
"""

import random

from sim.virtual.broker import REPORTS, Broker, Message, Session

_GATHERS_S = 0.3, 4.0
_AGAIN = 1 / 3


def toss(broker: Broker, seconds: float, dice: random.Random) -> None:
    """For so long what units report is delivered in any order, and some of it again later."""
    _Toss(broker, seconds, dice)


class _Toss:
    def __init__(self, broker: Broker, seconds: float, dice: random.Random) -> None:
        self._broker = broker
        self._conductor = broker.conductor
        self._until = self._conductor.now + round(seconds * 1e6)
        self._dice = dice
        self._gathered: list[tuple[Session, Message]] = []
        self._usual, broker.deliver = broker.deliver, self._gather
        self._deal()

    def _gather(self, session: Session, message: Message) -> None:
        if self._conductor.now < self._until and message.topic.endswith(REPORTS):
            self._gathered.append((session, message))
        else:
            self._usual(session, message)

    def _deal(self) -> None:
        """What has gathered goes out, shuffled; some of it will go out once more."""
        over = self._conductor.now >= self._until
        gathered, self._gathered = self._gathered, []
        self._dice.shuffle(gathered)
        for session, message in gathered:
            self._usual(session, message)
            if not over and self._dice.random() < _AGAIN:
                self._gathered.append((session, message))
        if not over:
            pause = round(self._dice.uniform(*_GATHERS_S) * 1e6)
            self._conductor.at(min(self._conductor.now + pause, self._until), self._deal)
