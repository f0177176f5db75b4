"""A passive infrared sensor with a logic output: HC-SR501, AM312 and their like.

Sources: HC-SR501 and AM312 data sheets: output high for some seconds after each movement (5 to
300 s by a trimmer, or 2 s), prolonged by further movement, then blind for 2 to 3 s; after power-on
it may give false alarms for up to a minute.

It notices movement, not people: whoever sits still vanishes. Put a filter behind it that delays
absence by minutes. A broken wire reads as nobody, which can't be told from an empty seat.
"""

from drivers.fault import ChipFault
from port import const, ticks_diff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WARM_UP_MS = const(60_000)
STUCK_MS = const(3_600_000)


class PIR:
    """The sensor on its pin; the interface is `desk_unit.presence`'s.

    Args:
        pin: called for its level, as a machine.Pin.
        active: the level that means movement.
        warm_up_ms: for so long after the first poll nothing is known.
        stuck_ms: movement without a single pause for so long is a fault.
    """

    chip = "pir"

    def __init__(
        self,
        pin: "Callable[[], int]",
        active: int = 1,
        warm_up_ms: int = WARM_UP_MS,
        stuck_ms: int = STUCK_MS,
    ) -> None:
        self._pin = pin
        self._active = active
        self._warm_up_ms = warm_up_ms
        self._stuck_ms = stuck_ms
        self._warm = False
        self._moving = False
        self._stuck = False
        self._polled = False
        self._since = 0

    def poll(self, now: int) -> "bool | None":
        """Movement? None while the sensor warms up or is stuck. `now` is `port.ticks_ms()`.

        Poll it every second at least: the time that the output lasts is measured here.
        """
        if not self._polled:
            self._polled = True
            self._since = now
        lasted = ticks_diff(now, self._since)
        if not self._warm:
            self._warm = not 0 <= lasted < self._warm_up_ms
            if not self._warm:
                return None
        moving = self._pin() == self._active
        if moving != self._moving:
            self._moving = moving
            self._stuck = False
            self._since = now
        elif moving and not 0 <= lasted < self._stuck_ms:
            self._stuck = True  # remembered, because ticks wrap
        return None if self._stuck else moving

    def check(self, _now: int) -> None:
        """Self-test; call `poll()` before.

        Raises:
            ChipFault: movement without a pause for longer than `stuck_ms`. It is raised again
                until the output falls.
        """
        if self._stuck:
            minutes = self._stuck_ms // 60_000
            raise ChipFault(
                self.chip, "sees movement without a pause for %d min: stuck, or shorted" % minutes
            )
