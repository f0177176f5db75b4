"""What the director says to desks: verdicts once, guidance retained and on change only."""

from typing import Protocol

import msgspec

from host_bridge.contract import topics
from host_bridge.contract.messages import Guidance, SeatWord, Verdict
from host_bridge.domain.floor import Answer, RoomView

_encode = msgspec.json.Encoder().encode


class Publisher(Protocol):
    """A connection to the broker."""

    @property
    def connected(self) -> bool:
        """Is there a session with the broker now?"""

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message over, QoS 1, without waiting; False when it can't be sent."""


class Speaker:
    """Publishes for one site.

    Keeps the last guidance of each desk, to say it only when it changes, and to say all of it
    again after a reconnect.
    """

    def __init__(self, site: str, publisher: Publisher) -> None:
        self._site = site
        self._publisher = publisher
        self._said: dict[str, Guidance] = {}
        self._unsaid: set[str] = set()
        self._connection = 0

    def answer(self, answer: Answer, now_ms: int) -> bool:
        """Send a verdict; False when nobody can hear it.

        Without a connection it is not kept: by the time of the next one the unit has long
        helped itself.
        """
        verdict = Verdict(boot=answer.boot, seq=answer.seq, verdict=answer.verdict, time=now_ms)
        topic = topics.down(self._site, answer.unit, "verdict")
        return self._publisher.publish(topic, _encode(verdict))

    def guide(self, rooms: tuple[RoomView, ...], now_ms: int) -> None:
        """Publish the guidance of the desks where it is new, or was not heard yet."""
        for room in rooms:
            for desk in room.desks:
                said = self._said.get(desk.unit)
                if said is None or said.seat != desk.seat:
                    self._said[desk.unit] = _next(said, desk.seat, now_ms)
                    self._unsaid.add(desk.unit)
        if self._publisher.connected:
            if self.is_behind:
                # The broker may have forgotten what it retained.
                self._connection = self._publisher.reconnects
                self._unsaid.update(self._said)
            for unit in sorted(self._unsaid):
                topic = topics.down(self._site, unit, "guidance")
                if not self._publisher.publish(topic, _encode(self._said[unit]), retain=True):
                    break
                self._unsaid.discard(unit)

    @property
    def is_behind(self) -> bool:
        """Is the connection a new one, over which nothing was said yet?"""
        return self._connection != self._publisher.reconnects


def _next(said: Guidance | None, seat: SeatWord, now_ms: int) -> Guidance:
    """The guidance after `said`.

    Versions begin at the present second, so that they count up across restarts of the host too,
    without anything to remember (32 bits of seconds last until 2106).
    """
    return Guidance(seat=seat, version=max(now_ms // 1000, said.version + 1 if said else 1))
