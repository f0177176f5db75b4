"""Somebody there? Several sensors as one.

A sensor is a driver with `chip` (its name in facts), `poll(now)`, which returns True, False, or
None when it can't tell, and `check(now)`, which raises `drivers.fault.ChipFault` while it is
broken; poll before. `now` is `port.ticks_ms()`. A unit with one sensor that sees whoever sits still
polls that one itself and does not load this module.
"""

from port import const

from .filters import Delay

STEADY_MS = const(8_000)
"""Movement this long is more than somebody who walks past: a PIR holds its output for seconds."""

STILL_MS = const(300_000)
"""Whoever sits still moves a little at least this often."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Sensor(Protocol):
        """What this module is about."""

        chip: str

        def poll(self, __now: int) -> bool | None:
            """Somebody there?"""

        def check(self, __now: int) -> None:
            """Raise ChipFault while the sensor is broken."""


class Combined:
    """Somebody is there when one sensor says so, nobody when all that can tell say so.

    Sensors that notice movement only are asked when none of the others can tell: beside one that
    sees whoever sits still, movement adds nothing but those who walk past.

    Args:
        seeing: sensors that see whoever sits still, too.
        moving: sensors that notice movement only.
    """

    def __init__(self, seeing: "Sequence[Sensor]", moving: "Sequence[Sensor]") -> None:
        self._seeing = seeing
        self._moving = moving
        self._steady = Delay(True, STEADY_MS)
        self._still = Delay(False, STILL_MS)
        self._moved: "bool | None" = None

    def poll(self, now: int) -> "bool | None":
        """What all sensors say together; all of them are polled."""
        present = _any(self._seeing, now)
        moved = _any(self._moving, now)
        steady = self._steady.feed(moved, now)
        # Who is there already is kept by the least movement.
        self._moved = self._still.feed(moved if self._moved else steady, now)
        return self._moved if present is None else present


def _any(sensors, now: int):
    said = None
    for sensor in sensors:
        present = sensor.poll(now)
        if present is not None:
            said = said or present
    return said
