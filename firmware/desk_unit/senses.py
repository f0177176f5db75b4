"""The loops that poll reader, radar and button, and call back when something has happened.

Each only ends by an exception; `chips.Chips.keep` starts it again.
"""

from port import const, sleep_ms, ticks_add, ticks_diff, ticks_ms

from .button import Debounce
from .reader import Presence
from .seat import Seat

_READER_MS = const(60)
_READER_CHECK_POLLS = const(32)
_RADAR_MS = const(50)
_RADAR_STATES = const(3)
_BUTTON_MS = const(5)
_BUTTON_GUARD_MS = const(25)
_BUTTON_DEAF_LOOKS = const(40)
_BUTTON_STALL_MS = const(20)


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
