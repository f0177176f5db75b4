"""The order of facts in time, which is not the order in which they arrive.

Within a lane of a unit (boot, seq) is the truth, whatever the clocks say: a fact's time is taken
down to that of any later fact of its lane. Between lanes and units time decides. So the floor's
state depends on which facts there are, not on the order of their arrival, as long as none is
later than `HORIZON_MS`; what is later still keeps its place within its lane.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Protocol

from host_bridge.contract.facts import AnyFact, Lane, lane_of
from host_bridge.domain.desk import Desk
from host_bridge.domain.headsets import TagRecord

HORIZON_MS = 2 * 3_600_000
"""How long a fact keeps its exact place in time, in milliseconds."""


class Happening(Protocol):
    """A committed fact with the time that the host worked out, in Unix milliseconds."""

    @property
    def unit(self) -> str:
        """The unit that reported it."""

    @property
    def boot(self) -> int:
        """The unit's boot."""

    @property
    def seq(self) -> int:
        """The number within the boot and the fact's lane."""

    @property
    def time_ms(self) -> int:
        """When it happened."""

    @property
    def received_ms(self) -> int:
        """When the host had it."""

    @property
    def fact(self) -> AnyFact:
        """What happened."""


class Entry:
    """A fact at its place; `before` is its desk just before it, for going back."""

    __slots__ = ("before", "boot", "fact", "lane", "record", "seq", "time", "unit")

    def __init__(self, happening: Happening, record: TagRecord | None) -> None:
        self.unit = happening.unit
        self.lane = lane_of(happening.fact)
        self.boot = happening.boot
        self.seq = happening.seq
        # Nothing happens after it was received: a unit's clock may be years ahead.
        self.time = min(happening.time_ms, happening.received_ms)
        self.fact = happening.fact
        self.record = record
        self.before = Desk()

    @property
    def stream(self) -> tuple[str, Lane]:
        """The unit's lane: within it the numbers rise with time."""
        return self.unit, self.lane

    @property
    def number(self) -> tuple[int, int]:
        """The place within the lane."""
        return self.boot, self.seq

    @property
    def place(self) -> tuple[int, str, Lane, int, int]:
        """The place among all. At the same time a press goes before a tap."""
        return self.time, self.unit, self.lane, self.boot, self.seq


class Timeline:
    """The entries of the last hours, in order.

    `late` counts facts that came so late that later ones of their lane had left the timeline.
    """

    def __init__(self) -> None:
        self.late = 0
        self._entries: list[Entry] = []
        self._streams: dict[tuple[str, Lane], list[Entry]] = {}
        self._left: dict[tuple[str, Lane], tuple[int, int]] = {}
        self._edge = 0

    def insert(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
        """Put entries in their places.

        Returns:
            The entries to take back, the last one first, and those to apply then, in order. What
            is in the timeline already is ignored.
        """
        touched = [entry for new in entries for entry in self._place(new)]
        if not touched:
            return [], []
        first = min(entry.place for entry in touched)
        # Entries that moved have left the order, but all of them, and all that stayed behind the
        # lowest new place, compare as "not before it": that is all a bisection needs.
        start = bisect_left(self._entries, first, key=lambda entry: entry.place)
        tail = self._entries[start:]
        ordered = sorted({*tail, *touched}, key=lambda entry: entry.place)
        self._entries[start:] = ordered
        return tail[::-1], ordered

    def _place(self, entry: Entry) -> list[Entry]:
        """Put the entry into its lane's own order.

        Returns:
            The entries whose place in time is new: this one, and earlier ones of its lane that
            it took down to its own time. Empty when there is no place for it.
        """
        if entry.number <= self._left.get(entry.stream, (0, 0)):
            self.late += 1
            return []
        own = self._streams.setdefault(entry.stream, [])
        at = bisect_left(own, entry.number, key=lambda other: other.number)
        if at < len(own) and own[at].number == entry.number:
            return []
        entry.time = max(entry.time, self._edge)
        if at < len(own):
            entry.time = min(entry.time, own[at].time)
        touched = [entry]
        for earlier in reversed(own[:at]):
            if earlier.time <= entry.time:
                break
            earlier.time = entry.time
            touched.append(earlier)
        own.insert(at, entry)
        return touched

    def prune(self) -> None:
        """Forget the past beyond the horizon. Call it when the newest entry is applied."""
        if not self._entries or self._entries[0].time > self._entries[-1].time - 2 * HORIZON_MS:
            return
        self._edge = self._entries[-1].time - HORIZON_MS
        cut = bisect_left(self._entries, self._edge, key=lambda entry: entry.time)
        for entry in self._entries[:cut]:
            # Within a lane, places and numbers rise together: the last one stays.
            self._left[entry.stream] = entry.number
        del self._entries[:cut]
        for stream, own in self._streams.items():
            gone = self._left.get(stream, (0, 0))
            del own[: bisect_left(own, (gone[0], gone[1] + 1), key=lambda entry: entry.number)]
