"""All wires of the unit: raw bytes come in, rows of the trace come out."""

import time
from collections.abc import Iterable
from typing import Any

from sim.workbench import display_wire
from sim.workbench.mqtt_wire import MqttWire
from sim.workbench.radar_wire import RadarWire
from sim.workbench.reader_wire import ReaderWire
from sim.workbench.trace import Row, Seen, Trace

_CONNECTIONS = 8


class Wires:
    """SPI, UART, I2C and MQTT of one unit. `prefix` is what its topics begin with."""

    def __init__(self, prefix: str) -> None:
        self.trace = Trace()
        self._prefix = prefix
        self._mqtt: dict[tuple[int, str], MqttWire] = {}
        self.begin()

    def begin(self) -> None:
        """The unit starts anew: nothing half heard is continued."""
        self._reader = ReaderWire()
        self._radar = {"in": RadarWire("in"), "out": RadarWire("out")}

    def take(self, bus: str, value: Any) -> None:
        """What the VM tells of a wire, see `SimUnit`.

        Raises:
            ValueError: it is malformed.
        """
        if bus == "i2c":
            self._add("I2C", [display_wire.message(bytes.fromhex(str(value)))])
            return
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(f"{bus}: two values are expected")
        first, second = str(value[0]), bytes.fromhex(str(value[1]))
        if bus == "spi":
            self._add("SPI", self._reader.access(bytes.fromhex(first), second, time.monotonic()))
        elif first in self._radar:
            self._add("UART", self._radar[first].feed(second))
        else:
            raise ValueError("uart: in or out is expected")

    def air(self, connection: int, way: str, data: bytes) -> None:
        """Bytes between unit and broker, see `sim.air.Tap`."""
        key = (connection, way)
        if not data:
            self._mqtt.pop(key, None)
            return
        if key not in self._mqtt:
            if len(self._mqtt) >= 2 * _CONNECTIONS:
                self._mqtt.pop(next(iter(self._mqtt)))
            self._mqtt[key] = MqttWire("out" if way == "up" else "in", self._prefix)
        self._add("MQTT", self._mqtt[key].feed(data))

    def fresh(self) -> list[Row]:
        """Rows that are new or were repeated since the last call."""
        self._add("SPI", self._reader.quiet(time.monotonic()))
        return self.trace.fresh()

    def _add(self, bus: str, found: Iterable[Seen]) -> None:
        for seen in found:
            self.trace.add(bus, seen)
