"""A contact under the seat, closed while somebody sits.

It bounces for some milliseconds and a person shifts about: put a filter behind it. A contact that
changes all the time says nothing, and is a fault; so is one that stays closed for longer than
anybody sits, because it is stuck or a bag lies on the chair. A cut wire can't be told from an
empty seat.
"""

from drivers.fault import ChipFault
from port import const, ticks_diff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW_MS = const(10_000)
MOST_CHANGES = const(20)
STUCK_MS = const(21_600_000)


class SeatSwitch:
    """The contact on its pin; the interface is `desk_unit.presence`'s.

    Args:
        pin: called for its level, as a machine.Pin.
        active: the level of the closed contact; a contact to ground behind a pull-up has 0.
        most_changes: more changes between two polls than these within 10 s are chatter.
        stuck_ms: closed without a single pause for so long is a fault.
    """

    chip = "seat-switch"

    def __init__(
        self,
        pin: "Callable[[], int]",
        active: int = 0,
        most_changes: int = MOST_CHANGES,
        stuck_ms: int = STUCK_MS,
    ) -> None:
        self._pin = pin
        self._active = active
        self._most = most_changes
        self._stuck_ms = stuck_ms
        self._closed: bool | None = None
        self._changes = 0
        self._window = 0  # ticks at which counting began
        self._chatters = False
        self._since = 0  # ticks of the last change
        self._stuck = False

    def poll(self, now: int) -> "bool | None":
        """Somebody there? None while it chatters or is stuck. `now` is `port.ticks_ms()`."""
        closed = self._pin() == self._active
        if self._closed is None:
            self._window = self._since = now
        elif closed != self._closed:
            self._changes += 1
            self._since = now
            self._stuck = False
        elif closed and not 0 <= ticks_diff(now, self._since) < self._stuck_ms:
            self._stuck = True  # remembered, because ticks wrap
        self._closed = closed
        if self._changes > self._most:
            self._chatters = True
        if not 0 <= ticks_diff(now, self._window) < _WINDOW_MS:
            self._chatters = self._changes > self._most
            self._changes = 0
            self._window = now
        return None if self._chatters or self._stuck else closed

    def check(self, _now: int) -> None:
        """Self-test; call `poll()` before.

        Raises:
            ChipFault: the contact chatters, until it was quiet for 10 s; or it is stuck, until
                it opens.
        """
        if self._stuck:
            hours = self._stuck_ms // 3_600_000
            raise ChipFault(
                self.chip, "closed for %d h: stuck, shorted, or something lies on the seat" % hours
            )
        if self._chatters:
            raise ChipFault(
                self.chip,
                "changed more than %d times in 10 s: a loose wire or a worn contact" % self._most,
            )
