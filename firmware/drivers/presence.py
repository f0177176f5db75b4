"""Somebody there? One interface for all sensors that answer that question.

A sensor has `poll(now)`, which returns True, False, or None when it can't tell, and `check(now)`,
which raises ChipFault while the sensor is broken; poll before. `now` is `port.ticks_ms()`.
`drivers.pir.PIR` and `drivers.seat_switch.SeatSwitch` have it by themselves.
"""

from drivers.fault import ChipFault
from port import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from drivers.ld2410 import LD2410

    class Sensor(Protocol):
        """What this module is about."""

        def poll(self, __now: int) -> bool | None:
            """Somebody there?"""

        def check(self, __now: int) -> None:
            """Raise ChipFault while the sensor is broken."""

    class Combination(Protocol):
        """As `desk_unit.filters.Any`."""

        def feed(self, __values: list[bool | None], __now: int) -> bool | None:
            """One value of several."""


_CALIBRATES = const(4)


class Radar:
    """The radar as such a sensor.

    Args:
        radar: the driver; nobody else polls it.
    """

    def __init__(self, radar: "LD2410") -> None:
        self._radar = radar
        self._present: bool | None = None

    def poll(self, now: int) -> "bool | None":
        """Somebody there? None before the first report, while it is broken or calibrates itself."""
        if self._radar.poll():
            state = self._radar.state
            self._present = None if state >= _CALIBRATES else state != 0
        try:
            self._radar.check(now)
        except ChipFault:
            self._present = None
        return self._present

    def check(self, now: int) -> None:
        """Self-test.

        Raises:
            ChipFault: no good report for 1.5 s.
        """
        self._radar.check(now)


class Combined:
    """Several sensors as one.

    Args:
        sensors: all of them are polled by every poll.
        combination: `Any()`, `All()` or `Majority()` of `desk_unit.filters`.
    """

    def __init__(self, sensors: "Sequence[Sensor]", combination: "Combination") -> None:
        self._sensors = sensors
        self._combination = combination
        self._values: list[bool | None] = [None] * len(sensors)

    def poll(self, now: int) -> "bool | None":
        """What the combination makes of all sensors."""
        for i in range(len(self._sensors)):
            self._values[i] = self._sensors[i].poll(now)
        return self._combination.feed(self._values, now)

    def check(self, now: int) -> None:
        """Self-test of all; the others may still be good enough for `poll`.

        Raises:
            ChipFault: the first that is broken.
        """
        for sensor in self._sensors:
            sensor.check(now)
