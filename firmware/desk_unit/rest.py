"""The break timer: offered after a report, begun by standing up, known to nobody but the display.

Standing up is the gesture because it needs nothing and leaves nothing behind: a tap would be a
fact of its own, and within two minutes it means "withdraw"; the button always means "report".
The timer runs its full length whether somebody sits down again or not, so that no fact about the
seat tells how long a break was.
"""

from port import const

OFFER_MS = const(300_000)
"""For how long after a report is stored the break is offered."""

_MINUTE = const(60_000)


class Rest:
    """Times are uptimes in milliseconds.

    Args:
        minutes: A break's length; 0 offers none.
    """

    def __init__(self, minutes: int) -> None:
        self._length = minutes * _MINUTE
        self._waits = False
        self._sits = False
        self._left = False
        self._offered_until = 0
        self._until = 0

    def pressed(self) -> None:
        """A report begins."""
        self._waits = True
        self._left = False

    def stored(self, now: int) -> None:
        """The host has the report.

        The break is offered to whoever sits here, and begins for whoever has left since the press.
        """
        if not self._waits:
            return
        self._waits = False
        if self._left:
            self._begin(now)
        elif self._sits:
            self._offered_until = now + OFFER_MS

    def seat(self, occupied: bool, now: int) -> None:
        """The seat became occupied or vacant."""
        self._sits = occupied
        self._left = not occupied
        if self._left and not self._waits and now < self._offered_until:
            self._begin(now)

    def stop(self) -> None:
        """Somebody signs in or out: what was on the display was not meant for the next one."""
        self._offered_until = self._until = 0

    def word(self, now: int) -> str:
        """Either "break" while it runs, "break-offer" while it is offered, or empty."""
        if not self._length:
            return ""
        if now < self._until:
            return "break"
        return "break-offer" if now < self._offered_until else ""

    def minutes(self, now: int) -> int:
        """Minutes left, begun ones count."""
        return max(0, self._until - now + _MINUTE - 1) // _MINUTE

    def _begin(self, now: int) -> None:
        self._offered_until = 0
        if now >= self._until:
            self._until = now + self._length
