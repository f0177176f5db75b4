"""Acknowledgements to the units: the button's at once, ordinary ones gathered per unit."""

import msgspec

from host_bridge.contract import topics
from host_bridge.contract.facts import Lane
from host_bridge.contract.messages import Ack
from host_bridge.store import Stream
from host_bridge.store.spans import Span, merge

GATHER_S = 1.0
"""How long ordinary acknowledgements of a unit are gathered at most."""

SPANS = 8
"""Spans in one message."""


class AckMessage(msgspec.Struct, frozen=True):
    """An acknowledgement that is ready to be published on a lane's connection."""

    lane: Lane
    topic: str
    payload: bytes


class Acks:
    """What is committed and not yet acknowledged to the units. `now` is monotonic, in seconds."""

    def __init__(self) -> None:
        self._waiting: dict[Stream, list[Span]] = {}
        self._due: dict[Stream, float] = {}

    def add(self, stream: Stream, spans: list[Span], now: float) -> None:
        """Note committed spans of a stream."""
        self._waiting[stream] = merge([*self._waiting.get(stream, []), *spans])
        self._due.setdefault(stream, now if stream.lane == "button" else now + GATHER_S)

    def next_due(self) -> float | None:
        """When `take` has something next."""
        return min(self._due.values(), default=None)

    def take(self, now: float, time_ms: int, *, everything: bool = False) -> list[AckMessage]:
        """The messages whose time has come, the button's first; `time_ms` is the host's clock.

        All boots of a unit's lane go together, the earliest first: a unit forgets its oldest facts
        only, and would have no use yet for what is said of a later boot.
        """
        due = {_lane(stream) for stream, at in self._due.items() if everything or at <= now}
        ready = [stream for stream in self._due if _lane(stream) in due]
        ready.sort(key=lambda stream: (stream.lane != "button", stream.boot))
        messages: list[AckMessage] = []
        for stream in ready:
            del self._due[stream]
            messages += _messages(stream, self._waiting.pop(stream), time_ms)
        return messages


def _lane(stream: Stream) -> tuple[str, str, Lane]:
    return stream.site, stream.unit, stream.lane


def _messages(stream: Stream, spans: list[Span], time_ms: int) -> list[AckMessage]:
    topic = topics.down(stream.site, stream.unit, "ack")
    return [
        AckMessage(
            stream.lane,
            topic,
            msgspec.json.encode(
                Ack(
                    boot=stream.boot,
                    lane=stream.lane,
                    spans=spans[start : start + SPANS],
                    time=time_ms,
                )
            ),
        )
        for start in range(0, len(spans), SPANS)
    ]
