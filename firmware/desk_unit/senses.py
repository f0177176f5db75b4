"""The loops that poll reader and radar, and call back when something has happened.

Each only ends by an exception; `chips.Chips.keep` starts it again.
"""

from port import const, sleep_ms, ticks_ms

from .reader import Presence
from .seat import Seat

_READER_MS = const(100)
_READER_CHECK_POLLS = const(20)
_RADAR_MS = const(50)
_RADAR_STATES = const(3)


class TagSense:
    """Polls the reader; tags are hashed at once and UIDs kept nowhere.

    Args:
        reader: `drivers.mfrc522.MFRC522`.
        tag_hash: `tags.TagHash`.
        on_tag: Called with the hash of every newly presented tag.
        works: Called when the reader has answered.
    """

    def __init__(self, reader, tag_hash, on_tag, works) -> None:
        self._reader = reader
        self._tag_hash = tag_hash
        self._on_tag = on_tag
        self._works = works
        self._presence = Presence()

    async def run(self) -> None:
        """Start the chip and poll it ten times a second."""
        self._reader.start()
        polls = 0
        while True:
            tags = [self._tag_hash(uid) for uid in await self._reader.uids()]
            for tag in self._presence.poll(tags):
                self._on_tag(tag)
            if polls % _READER_CHECK_POLLS == 0:
                self._reader.check()
                self._works("rfid")
            polls += 1
            await sleep_ms(_READER_MS)


class SeatSense:
    """Polls the radar and filters what it says.

    Args:
        radar: `drivers.ld2410.LD2410`.
        on_seat: Called with True or False when the seat has become occupied or vacant.
        works: Called when the radar has reported.
    """

    def __init__(self, radar, on_seat, works) -> None:
        self._radar = radar
        self._on_seat = on_seat
        self._works = works
        self.seat = Seat()

    async def run(self) -> None:
        """Poll every 50 ms; the radar reports every 100 ms."""
        try:
            while True:
                now = ticks_ms()
                if self._radar.poll():
                    self._works("radar")
                    self._take(self._radar.state, now)
                self._radar.check(now)
                await sleep_ms(_RADAR_MS)
        finally:
            self.seat.feed(None, ticks_ms())

    def _take(self, state: int, now: int) -> None:
        # 4 to 6: it calibrates itself and knows nothing about the seat.
        if state <= _RADAR_STATES and self.seat.feed(state != 0, now):
            self._on_seat(self.seat.occupied)
