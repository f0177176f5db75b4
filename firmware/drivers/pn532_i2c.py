"""How the frames of a PN532 travel over I2C; apart, because a desk unit has it on SPI.

Source: NXP UM0701-02 (PN532 user manual) rev. 02, 6.2.4; PN532/C1 data sheet 8.3.5: to 400 kHz.
The interface is that of `drivers.pn532_bus`.
"""

from port import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from drivers.bus import Buffer

    class I2C(Protocol):
        """As machine.I2C; raises OSError when nobody acknowledges."""

        def writeto(self, __addr: int, __buf: Buffer) -> object:
            """Send one message."""

        def readfrom_into(self, __addr: int, __buf: bytearray) -> object:
            """Receive one message."""


_ADDRESS = const(0x24)


class I2CBus:
    """A PN532 on I2C, at address 24h; its switches or solder bridges must say I2C, too.

    Args:
        i2c: at most 400 kHz, patient with a chip that stretches the clock.
    """

    name = "I2C"

    def __init__(self, i2c: "I2C") -> None:
        self._i2c = i2c
        self._one = bytearray(1)

    def begin(self) -> None:
        """Wake the chip by its address; asleep, it does not acknowledge."""
        self._acknowledged(self._i2c.writeto, b"\x00")

    def write(self, frame: bytes) -> None:
        """Send a frame."""
        self._acknowledged(self._i2c.writeto, frame)

    def status(self) -> int:
        """The status byte, -1 when nobody acknowledges."""
        return self._one[0] if self._acknowledged(self._i2c.readfrom_into, self._one) else -1

    def read(self, into: bytearray) -> None:
        """Fetch a frame; zeros when nobody acknowledges."""
        if not self._acknowledged(self._i2c.readfrom_into, into):
            for i in range(len(into)):
                into[i] = 0

    def _acknowledged(self, transfer, buffer) -> bool:
        # Raises nothing: that nobody is there shows in the status that is asked for next.
        try:
            transfer(_ADDRESS, buffer)
        except OSError:
            return False
        return True
