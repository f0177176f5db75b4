"""The button: from samples of a bouncing contact to presses and urgent gestures. No I/O.

A press is reported once the contact has been closed for 10 ms, so within 50 ms of the first
touch even if it bounces for 30 ms; another one only after 30 ms of rest.
"""

from port import const, ticks_diff

CLOSED_MS = const(10)
"""How long the contact must be closed for a press."""

OPEN_MS = const(30)
"""How long the contact must be open before another press may begin."""

HOLD_MS = const(2_000)
"""A hold this long is urgent."""

THREE_MS = const(1_500)
"""Three presses that begin within this time are urgent."""

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
        if closed == self._pressed:
            if not self._pressed or self._since is not None:
                self._since = None
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
