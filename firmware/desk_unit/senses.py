"""The loops that poll reader, presence sensors and button, and call back when something happened.

Each only ends by an exception; `chips.Chips.keep` starts it again.
"""

from port import const, sleep_ms, ticks_add, ticks_diff, ticks_ms

from .button import Debounce
from .reader import Presence
from .seat import Seat

_READER_MS = const(60)
_READER_CHECK_POLLS = const(32)
_SEAT_MS = const(50)
_SEAT_CHECK_POLLS = const(20)
_SEAT_GOOD_CHECKS = const(5)
_BUTTON_MS = const(5)
_BUTTON_GUARD_MS = const(25)
_BUTTON_DEAF_LOOKS = const(40)
_BUTTON_STALL_MS = const(20)


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

    async def run(self) -> None:
        """Start the chip and poll it about fifteen times a second: a card is read within 100 ms."""
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
        self.seat = Seat()

    async def run(self) -> None:
        """Poll every 50 ms, broken sensors too, and test every second.

        A sensor works again when it has passed five tests in a row: noise lets one through now
        and then, and each change is a fact.
        """
        polls = 0
        try:
            while True:
                now = ticks_ms()
                if self.seat.feed(self._presence.poll(now), now):
                    self._on_seat(self.seat.occupied)
                if polls % _SEAT_CHECK_POLLS == 0:
                    for i in range(len(self._sensors)):
                        self._test(i, now)
                    self._chips.works("presence")
                polls += 1
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


class ButtonSense:
    """Waits for the button's edge and samples until its contact is at rest.

    Args:
        button: Has `async wait()`, which returns the ticks of an edge, `closed()`, `wake()`,
            which ends a wait, and `clear()`, which forgets the edges so far.
        on_event: Called with `button.PRESS`, `THREE` or `HOLD`, and the ticks at which the
            press began.
    """

    def __init__(self, button, on_event) -> None:
        self._button = button
        self._on_event = on_event
        self._debounce = Debounce()
        self._due = ticks_ms()
        self._stood = (self._due, self._due)

    @property
    def active(self) -> bool:
        """Whether somebody is pressing right now, perhaps since a moment ago."""
        return self._debounce.active or self._button.closed()

    async def run(self) -> None:
        """Sample every 5 ms while there is something to sample, else wait."""
        debounce = self._debounce
        while True:
            edge = await self._button.wait()
            self._look_back()
            since, until = self._stood
            if ticks_diff(edge, since) >= 0 and ticks_diff(until, edge) >= 0:
                edge = since  # it may have come as early as that
            self._tell(debounce.edge(self._button.closed(), edge, ticks_ms()))
            while debounce.active:
                await sleep_ms(_BUTTON_MS)
                self._tell(debounce.sample(self._button.closed(), ticks_ms()))
            # Bounces of this press must not be taken for the edge of another one.
            self._button.clear()

    def held(self, since: int) -> None:
        """The program stood still from `since` (ticks) until now, as flash does when it is erased.

        A contact that is closed now has been so for nobody knows how long, so the time counts
        from `since`: a press that came meanwhile is felt now, and not another 10 ms later.
        """
        if not self._debounce.active and self._button.closed():
            self._button.wake()  # whoever waits for an edge goes on from here
            self._tell(self._debounce.edge(True, since, ticks_ms()))

    async def guard(self, beat) -> None:
        """Look at the contact forty times a second, should an interrupt ever be lost.

        Where these looks come late the program stood still, and interrupts with it: the ESP32 runs
        their handlers when flash, TLS or the name server have let go of the program. Then an edge
        may be older than its handler knows (see `run`).
        """
        deaf = 0
        while True:
            self._look_back()
            if not self._debounce.active and self._button.closed():
                self._button.wake()
                deaf += 1
            elif self._debounce.active or deaf < _BUTTON_DEAF_LOOKS:
                deaf = 0
            # Whoever samples the contact has not woken for a second: that will never end.
            if deaf < _BUTTON_DEAF_LOOKS:
                beat("button")
            self._due = ticks_add(ticks_ms(), _BUTTON_GUARD_MS)
            await sleep_ms(_BUTTON_GUARD_MS)

    def _look_back(self) -> None:
        """Has the program stood still since the guard's last look?"""
        now = ticks_ms()
        if ticks_diff(now, self._due) >= _BUTTON_STALL_MS:
            self._stood = (self._due, now)

    def _tell(self, event: str) -> None:
        if event:
            self._on_event(event, self._debounce.began)
