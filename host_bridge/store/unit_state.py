"""What a batch of facts says of one unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from host_bridge.contract.facts import Boot, Seat, Tag
from host_bridge.domain.sessions import to_the_minute
from host_bridge.store.records import Incoming, Stream
from host_bridge.store.spans import Known

Desk = tuple[str, str]
"""Site and unit."""


@dataclass(slots=True)
class UnitState:
    """What a batch says of a unit: a row of `unit_states`, and its facts of its highest boot.

    `news`: seat changes and taps by number; `tapped`: there is a tap among them.
    """

    stream: Stream
    news: dict[int, Incoming] = field(default_factory=dict)
    firmware: str | None = None
    heard_ms: int = 0
    seat: tuple[int, int] = (0, 0)
    occupied: bool | None = None
    since_ms: int | None = None
    tapped: bool = False

    def take(self, stream: Stream, seq: int, item: Incoming) -> None:
        """Take in a fact of the ordinary lane."""
        boot = stream.boot
        if boot > self.stream.boot:
            self.stream, self.firmware, self.news, self.tapped = stream, None, {}, False
        self.heard_ms = max(self.heard_ms, item.received_ms)
        fact = item.fact
        if isinstance(fact, Seat):
            if (boot, seq) > self.seat:
                self.seat, self.occupied = (boot, seq), fact.occupied
                self.since_ms = to_the_minute(min(item.time_ms, item.received_ms))
        elif isinstance(fact, Tag):
            if fact.enrol:
                return
            self.tapped = self.tapped or boot == self.stream.boot
        else:
            if isinstance(fact, Boot) and seq == 1 and boot == self.stream.boot:
                self.firmware = storable(fact.firmware)
            return
        if boot == self.stream.boot:
            self.news[seq] = item

    def is_late(self, known: Mapping[Stream, list[Known]]) -> bool:
        """Had others with higher numbers come before? `known`: the spans as they were then."""
        spans = known.get(self.stream) if self.news else None
        return bool(spans and min(self.news) < spans[-1].last)

    def row(self) -> tuple[object, ...]:
        """The columns of `unit_states`, in their order."""
        return (
            *self.stream[:3],
            self.firmware,
            to_the_minute(self.heard_ms),
            *self.seat,
            self.occupied,
            self.since_ms,
        )


def storable(text: str) -> str:
    """PostgreSQL takes no NUL, and no database half a surrogate pair."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
