"""The button: from a bouncing contact to presses and urgent gestures.

A press is reported once the contact has been closed for 10 ms, so within 50 ms of the first
touch even if it bounces for 30 ms; another one only after 30 ms of rest.
"""

from port import const, sleep_ms, ticks_add, ticks_diff, ticks_ms

CLOSED_MS = const(10)
"""How long the contact must be closed for a press."""

OPEN_MS = const(30)
"""How long the contact must be open before another press may begin."""

HOLD_MS = const(2_000)
"""A hold this long is urgent."""

THREE_MS = const(1_500)
"""Three presses that begin within this time are urgent."""

_SAMPLE_MS = const(5)
_GUARD_MS = const(25)
_DEAF_LOOKS = const(40)
_STALL_MS = const(20)

IDLE = ""
PRESS = "press"
HOLD = "hold"
THREE = "three"


class Debounce:
    """Turns contact samples into events.

    Sample at once after an edge and then every 5 ms as long as `active`.
    """

    def __init__(self) -> None:
        self._pressed = False
        self._held = False
        self._since: "int | None" = None
        self._looked = 0
        self._presses: list[int] = []
        self.began = 0
        """Ticks (`port.ticks_ms`) at which the contact of the latest press first closed."""

    @property
    def active(self) -> bool:
        """Whether more samples are needed before the next edge."""
        return self._pressed or self._since is not None

    def edge(self, closed: bool, edge_at: int, now: int) -> str:
        """The interrupt has seen the contact close at `edge_at`; the first sample after it.

        When the program was busy (erasing flash, say) for longer than a press must last, the
        contact may be open again by now: the press counts, for nobody can say that it was none.

        Args:
            closed: The contact now.
            edge_at: Ticks of the edge.
            now: Ticks now.

        Returns:
            What `sample` returns.
        """
        if not self.active:
            if not closed and ticks_diff(now, edge_at) >= CLOSED_MS:
                return self._press(edge_at, now, False)
            if closed:
                self._since = edge_at
        return self.sample(closed, now)

    def sample(self, closed: bool, now: int) -> str:
        """Take one sample.

        Args:
            closed: Whether the contact is closed.
            now: Ticks of the sample.

        Returns:
            `PRESS`, then perhaps `THREE` (in place of the third `PRESS`) or `HOLD`; mostly `IDLE`.
        """
        late = ticks_diff(now, self._looked) >= CLOSED_MS
        self._looked = now
        if closed == self._pressed:
            since, self._since = self._since, None
            if late and not closed and since is not None:
                # It was closed, and opened while the program was busy: as in `edge`.
                return self._press(since, now, False)
            return self._hold(now) if closed else IDLE
        if self._since is None:
            self._since = now
        lasted = ticks_diff(now, self._since)
        if closed and lasted >= CLOSED_MS:
            return self._press(self._since, now, True)
        if not closed and lasted >= OPEN_MS:
            self._pressed = False
            self._since = None
        return IDLE

    def _press(self, began: int, now: int, closed: bool) -> str:
        self._pressed = True
        self._held = False
        self._since = None if closed else now
        self.began = began
        recent = [at for at in self._presses if ticks_diff(began, at) <= THREE_MS]
        recent.append(began)
        if len(recent) >= 3:
            self._presses = []
            return THREE
        self._presses = recent
        return PRESS

    def _hold(self, now: int) -> str:
        if self._held or ticks_diff(now, self.began) < HOLD_MS:
            return IDLE
        self._held = True
        return HOLD


class ButtonSense:
    """Waits for the button's edge and samples until its contact is at rest.

    Args:
        button: Has `async wait()`, which returns the ticks of an edge, `closed()`, `wake()`,
            which ends a wait, and `clear()`, which forgets the edges so far.
        on_event: Called with `PRESS`, `THREE` or `HOLD`, and the ticks at which the
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
                await sleep_ms(_SAMPLE_MS)
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
            elif self._debounce.active or deaf < _DEAF_LOOKS:
                deaf = 0
            # Whoever samples the contact has not woken for a second: that will never end.
            if deaf < _DEAF_LOOKS:
                beat("button")
            self._due = ticks_add(ticks_ms(), _GUARD_MS)
            await sleep_ms(_GUARD_MS)

    def _look_back(self) -> None:
        """Has the program stood still since the guard's last look?"""
        now = ticks_ms()
        if ticks_diff(now, self._due) >= _STALL_MS:
            self._stood = (self._due, now)

    def _tell(self, event: str) -> None:
        if event:
            self._on_event(event, self._debounce.began)


def record(facts, event: str, began: int, drill: bool) -> int:
    """What the button did becomes facts on flash.

    Args:
        facts: The unit's `Facts`.
        event: `PRESS`, `HOLD` or `THREE`.
        began: Ticks at which the press began.
        drill: Whether it is practice.

    Returns:
        The sequence number of the last fact.
    """
    if event != HOLD:
        seq = facts.press(max(0, ticks_diff(ticks_ms(), began)), drill)
    if event in (HOLD, THREE):
        seq = facts.urgent(event, drill)
    return seq
