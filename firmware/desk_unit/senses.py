"""The loops that poll reader and presence sensors, and call back when something happened.

Each only ends by an exception; `chips.Chips.keep` starts it again.
"""

from port import const, sleep_ms, ticks_ms

from .reader import Presence
from .seat import Seat

_READER_MS = const(60)
_READER_CHECK_POLLS = const(32)
_SEAT_MS = const(50)
_SEAT_CHECK_POLLS = const(20)
_SEAT_GOOD_CHECKS = const(5)


class TagSense:
    """Polls the reader; tags are hashed at once and UIDs kept nowhere.

    Args:
        reader: `drivers.mfrc522.MFRC522` or `drivers.pn532.PN532`.
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
        self._polls = 0  # since the reader was started

    async def run(self) -> None:
        """Start the chip and poll it about fifteen times a second: a card is read within 100 ms."""
        self._reader.start()
        self._polls = 0
        while True:
            tags = [self._tag_hash(uid) for uid in await self._reader.uids()]
            for tag in self._presence.poll(tags):
                self._on_tag(tag)
            if self._polls % _READER_CHECK_POLLS == 0:
                self._reader.check()
                self._works("rfid")
            self._polls += 1
            await sleep_ms(_READER_MS)


class SeatSense:
    """Polls who is there, filters what is said, and tests each sensor.

    Args:
        presence: Its `poll(now)` says whether somebody is there: a sensor or
            `presence.Combined`.
        sensors: All that it is made of, see `presence.py`.
        on_seat: Called with True or False when the seat has become occupied or vacant.
        chips: `chips.Chips`, told which sensors work and which don't.
    """

    def __init__(self, presence, sensors, on_seat, chips) -> None:
        self._presence = presence
        self._sensors = sensors
        self._on_seat = on_seat
        self._chips = chips
        self._good = bytearray(len(sensors))  # tests in a row that each has passed
        self._polls = 0
        self.seat = Seat()

    async def run(self) -> None:
        """Poll every 50 ms, broken sensors too, and test every second.

        A sensor works again when it has passed five tests in a row: noise lets one through now
        and then, and each change is a fact.
        """
        self._polls = 0
        try:
            while True:
                now = ticks_ms()
                if self.seat.feed(self._presence.poll(now), now):
                    self._on_seat(self.seat.occupied)
                if self._polls % _SEAT_CHECK_POLLS == 0:
                    for i in range(len(self._sensors)):
                        self._test(i, now)
                    self._chips.works("presence")
                self._polls += 1
                await sleep_ms(_SEAT_MS)
        finally:
            self.seat.feed(None, ticks_ms())

    def _test(self, i: int, now: int) -> None:
        sensor = self._sensors[i]
        try:
            sensor.check(now)
        except Exception as error:
            self._good[i] = 0
            self._chips.fails(sensor.chip, error)
            return
        if self._good[i] < _SEAT_GOOD_CHECKS:
            self._good[i] += 1
        else:
            self._chips.works(sensor.chip)
