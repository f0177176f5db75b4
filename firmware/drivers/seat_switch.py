"""A contact under the seat, closed while somebody sits.

It bounces for some milliseconds and a person shifts about: put a filter behind it. A contact that
changes all the time says nothing, and is a fault. One that is stuck, a cut wire, or a bag on the
chair can't be told from a person or an empty seat.
"""

from drivers.fault import ChipFault
from port import const, ticks_diff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW_MS = const(10_000)
MOST_CHANGES = const(20)


class SeatSwitch:
    """The contact on its pin; the interface is `drivers.presence`'s.

    Args:
        pin: called for its level, as a machine.Pin.
        active: the level of the closed contact; a contact to ground behind a pull-up has 0.
        most_changes: more changes between two polls than these within 10 s are chatter.
    """

    def __init__(
        self, pin: "Callable[[], int]", active: int = 0, most_changes: int = MOST_CHANGES
    ) -> None:
        self._pin = pin
        self._active = active
        self._most = most_changes
        self._closed: bool | None = None
        self._changes = 0
        self._window = 0  # ticks at which counting began
        self._chatters = False

    def poll(self, now: int) -> "bool | None":
        """Somebody there? None while it chatters. `now` is `port.ticks_ms()`."""
        closed = self._pin() == self._active
        if self._closed is None:
            self._window = now
        elif closed != self._closed:
            self._changes += 1
        self._closed = closed
        if self._changes > self._most:
            self._chatters = True
        if not 0 <= ticks_diff(now, self._window) < _WINDOW_MS:
            self._chatters = self._changes > self._most
            self._changes = 0
            self._window = now
        return None if self._chatters else closed

    def check(self, _now: int) -> None:
        """Self-test; call `poll()` before.

        Raises:
            ChipFault: the contact chatters. It is raised again until it was quiet for 10 s.
        """
        if self._chatters:
            raise ChipFault(
                "seat-switch",
                "changed more than %d times in 10 s: a loose wire or a worn contact" % self._most,
            )
