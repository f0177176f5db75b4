"""What the director says to desks: verdicts and "seen" once, guidance and mode retained."""

import msgspec

from host_bridge.contract import topics
from host_bridge.contract.messages import Guidance, Incident, Mode, SeatWord, Verdict
from host_bridge.director.retained import Publisher, Retained
from host_bridge.domain.floor import Answer, RoomView

_encode = msgspec.json.Encoder().encode


class Speaker:
    """Publishes for one site.

    Keeps the last guidance of each desk, to give it a new version only when it changes.
    """

    def __init__(self, site: str, publisher: Publisher) -> None:
        self._site = site
        self._publisher = publisher
        self._retained = Retained(publisher)
        self._said: dict[str, Guidance] = {}

    @property
    def is_behind(self) -> bool:
        """Is the connection a new one, over which nothing was said yet?"""
        return self._retained.is_behind

    def answer(self, answer: Answer, now_ms: int) -> bool:
        """Send a verdict; False when nobody can hear it.

        Without a connection it is not kept: by the time of the next one the unit has long
        helped itself.
        """
        verdict = Verdict(boot=answer.boot, seq=answer.seq, verdict=answer.verdict, time=now_ms)
        topic = topics.down(self._site, answer.unit, "verdict")
        return self._publisher.publish(topic, _encode(verdict))

    def seen(self, unit: str, boot: int, seq: int) -> bool:
        """Tell a desk that a person has answered for its reports; False when nobody can hear it."""
        topic = topics.down(self._site, unit, "incident")
        return self._publisher.publish(topic, _encode(Incident(boot=boot, seq=seq, stage="seen")))

    def guide(self, rooms: tuple[RoomView, ...], now_ms: int) -> None:
        """The guidance of all desks; `send` publishes what is new in it."""
        for room in rooms:
            for desk in room.desks:
                said = self._said.get(desk.unit)
                if said is None or said.seat != desk.seat:
                    guidance = self._said[desk.unit] = _next(said, desk.seat, now_ms)
                    self._retained.put(
                        topics.down(self._site, desk.unit, "guidance"), _encode(guidance)
                    )

    def mode(self, unit: str, mode: Mode) -> None:
        """How a unit is to behave; `send` publishes it if it is new."""
        self._retained.put(topics.down(self._site, unit, "mode"), _encode(mode))

    def send(self) -> None:
        """Publish guidance and modes that are new, or were not heard yet."""
        self._retained.send()


def _next(said: Guidance | None, seat: SeatWord, now_ms: int) -> Guidance:
    """The guidance after `said`.

    Versions begin at the present second, so that they count up across restarts of the host too,
    without anything to remember (32 bits of seconds last until 2106).
    """
    return Guidance(seat=seat, version=max(now_ms // 1000, said.version + 1 if said else 1))
