"""Taps on the wires for whoever wants to watch: each transfer is told as it happened.

Loaded only when asked for, before the firmware starts; without them the wires are the chips' own
methods, so that watching costs nothing when nobody watches.
"""

from binascii import hexlify

import circuit
import wiring


class _SPI:
    """Stands between the bus and the reader."""

    def __init__(self, chip):
        self._chip = chip

    def transfer(self, data):
        """Pass on, and tell both directions."""
        answer = self._chip.transfer(data)
        circuit.tell('{"spi":["%s","%s"]}' % (hexlify(data).decode(), hexlify(answer).decode()))
        return answer


class _UART:
    """Stands between the port and the radar."""

    def __init__(self, chip):
        self._chip = chip
        self.any = chip.any

    def readinto(self, buf, count):
        """Pass on, and tell what the unit has read."""
        got = self._chip.readinto(buf, count)
        if got:
            _tell("in", memoryview(buf)[:got])
        return got

    def write(self, data):
        """Pass on, and tell what the unit has sent."""
        _tell("out", data)
        return self._chip.write(data)


def _tell(way, data):
    circuit.tell('{"uart":["%s","%s"]}' % (way, hexlify(data).decode()))


def insert():
    """Put a tap on the reader's SPI and on the radar's UART, if there is one."""
    circuit.spi[wiring.RFID_CS] = _SPI(circuit.spi[wiring.RFID_CS])
    if wiring.RADAR_RX in circuit.uart:
        chip, bauds = circuit.uart[wiring.RADAR_RX]
        circuit.uart[wiring.RADAR_RX] = (_UART(chip), bauds)
