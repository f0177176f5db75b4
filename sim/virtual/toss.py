"""Delivery in another order, and twice, as by a cluster whose members hand a session to each other.

MQTT promises an order within a topic of one connection only, and QoS 1 promises that nothing comes
less than once.
"""

import random

from sim.virtual.broker import REPORTS, Broker, Message, Session

_GATHERS_S = 0.3, 4.0
_LONGEST_US = 8_000_000
_AGAIN = 1 / 3

Delivery = tuple[Session, Message]


def toss(broker: Broker, seconds: float, dice: random.Random) -> None:
    """For so long what units report is delivered in another order, and some of it again later.

    It is held back until there is another order: until two came on one topic, 8 s at the most.
    """
    _Toss(broker, seconds, dice)


class _Toss:
    def __init__(self, broker: Broker, seconds: float, dice: random.Random) -> None:
        self._broker = broker
        self._conductor = broker.conductor
        self._until = self._conductor.now + round(seconds * 1e6)
        self._dice = dice
        self._came: list[Delivery] = []
        self._again: list[Delivery] = []
        self._since = 0
        """When the first of what has come came."""
        self._usual, broker.deliver = broker.deliver, self._gather
        self._deal()

    def _gather(self, session: Session, message: Message) -> None:
        if self._conductor.now < self._until and message.topic.endswith(REPORTS):
            self._since = self._since if self._came else self._conductor.now
            self._came.append((session, message))
        else:
            self._usual(session, message)

    def _deal(self) -> None:
        """What has gathered goes out, shuffled; some of it will go out once more."""
        now = self._conductor.now
        over = now >= self._until
        if over or _by_topic(self._came) or now - self._since >= _LONGEST_US:
            came, self._came = self._came, []
            again, self._again = self._again, []
            for delivery in _shuffled(came, again, self._dice):
                self._usual(*delivery)
                if not over and self._dice.random() < _AGAIN:
                    self._again.append(delivery)
        if not over:
            pause = round(self._dice.uniform(*_GATHERS_S) * 1e6)
            self._conductor.at(min(now + pause, self._until), self._deal)


def _by_topic(came: list[Delivery]) -> list[list[int]]:
    """The places of messages that are not alone on their topic, topic by topic."""
    topics: dict[str, list[int]] = {}
    for place, (_, message) in enumerate(came):
        topics.setdefault(message.topic, []).append(place)
    return [places for places in topics.values() if len(places) > 1]


def _shuffled(came: list[Delivery], again: list[Delivery], dice: random.Random) -> list[Delivery]:
    """All of it; what came on one topic never in the order in which it came."""
    order = list(range(len(came) + len(again)))
    dice.shuffle(order)
    for first_to_last in _by_topic(came):
        turns = sorted(order.index(place) for place in first_to_last)
        if [order[turn] for turn in turns] == first_to_last:
            for turn, place in zip(turns, reversed(first_to_last), strict=True):
                order[turn] = place
    both = came + again
    return [both[place] for place in order]
