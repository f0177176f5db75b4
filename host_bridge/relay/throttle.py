"""How much a unit may send: what is beyond that must not slow down the others.

It is *put off*: neither committed nor acknowledged to the unit, which keeps the fact in its flash
and sends it again. Only the broker is told that it may forget the message, because a message in
its window that nobody takes would hold up everybody else's.
"""

import logging
from typing import NamedTuple

log = logging.getLogger(__name__)

RATE = 500
"""Messages a second of a unit's lane, for longer than `BURST` lasts. A desk unit manages 200."""

BURST = 5_000
"""Messages at once: what the broker may have kept of a unit while no relay was there."""

MOST = 20_000
"""Lanes that are kept in mind. Of those that have been quiet longest nothing has to be known."""

SAY_MS = 10_000
"""How often a lane that floods is written about."""


class Flood(NamedTuple):
    """What was put off of a lane since it was last written about."""

    topic: str
    messages: int

    def warn(self) -> None:
        """Say so in the log."""
        log.warning(
            "too much comes on %r: %d messages are put off, and its sender is not told that they "
            "are safe",
            self.topic,
            self.messages,
        )


class _Bucket:
    """What a lane has left, in messages, and what was put off."""

    __slots__ = ("at_ms", "count", "left", "said_ms")

    def __init__(self, now_ms: int) -> None:
        self.left = float(BURST)
        self.at_ms = now_ms
        self.said_ms: int | None = None
        self.count = 0


class Throttle:
    """A token bucket for each topic, which is a unit's lane. Times are Unix milliseconds."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._flooding: set[str] = set()

    def passes(self, topic: str, now_ms: int) -> bool:
        """Whether a message on this topic may go on. A clock that is set back does no harm."""
        bucket = self._buckets.get(topic)
        if bucket is None:
            if len(self._buckets) >= MOST:
                self._forget()
            bucket = self._buckets[topic] = _Bucket(now_ms)
        elif now_ms != bucket.at_ms:
            gained = max(0, now_ms - bucket.at_ms) * (RATE / 1000)
            bucket.left = min(BURST, bucket.left + gained)
            bucket.at_ms = now_ms
        if bucket.left < 1:
            bucket.count += 1
            return False
        bucket.left -= 1
        return True

    def flood(self, topic: str, now_ms: int) -> Flood | None:
        """Whether what was put off on this topic is to be written about now."""
        bucket = self._buckets[topic]
        said = bucket.said_ms
        if said is not None and 0 <= now_ms - said < SAY_MS:
            return None
        return self._told(topic, now_ms)

    def unsaid(self, now_ms: int, *, everything: bool = False) -> list[Flood]:
        """What was put off and not written about, of floods that have ended since."""
        due = [
            topic
            for topic in self._flooding
            if (bucket := self._buckets.get(topic)) is not None
            and (everything or now_ms - (bucket.said_ms or 0) >= SAY_MS)
        ]
        floods = [self._told(topic, now_ms) for topic in due]
        self._flooding.difference_update(due)
        return [flood for flood in floods if flood.messages]

    def _told(self, topic: str, now_ms: int) -> Flood:
        bucket = self._buckets[topic]
        flood, bucket.count, bucket.said_ms = Flood(topic, bucket.count), 0, now_ms
        self._flooding.add(topic)
        return flood

    def _unimportance(self, topic: str) -> tuple[bool, int]:
        bucket = self._buckets[topic]
        return bucket.count > 0, bucket.at_ms

    def _forget(self) -> None:
        oldest = sorted(self._buckets, key=self._unimportance)
        for topic in oldest[: MOST // 2]:
            del self._buckets[topic]
        self._flooding &= self._buckets.keys()
