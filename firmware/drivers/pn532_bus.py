"""What a bus of a PN532 is, and how its frames travel over SPI; over I2C: drivers/pn532_i2c.py.

Source: NXP UM0701-02 (PN532 user manual) rev. 02, 6.2.5 (SPI); PN532/C1 data sheet 8.3.5: SPI
mode 0 at most 5 MHz, the low bit first.

A bus has these methods, none of which waits or raises: `begin()` wakes a sleeping chip, which then
needs 2 ms; `write(frame)`; `status()`, where bit 0 says that a frame can be fetched, all ones that
nothing drives the line, and -1 that nobody acknowledged the address; `read(into)`, which leaves
a byte of no meaning and then the frame with whatever comes behind it.
"""

from port import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from drivers.bus import SPI, Pin

    class Bus(Protocol):
        """What `drivers.pn532_link.Link` needs of a bus; see the module."""

        name: str

        def begin(self) -> None:
            """Wake the chip."""

        def write(self, __frame: bytes) -> None:
            """Send a frame."""

        def status(self) -> int:
            """Can a frame be fetched?"""

        def read(self, __into: bytearray) -> None:
            """Fetch a frame."""


LONGEST = const(46)
"""Bytes of the longest read: two cards with UIDs of 10 bytes, and some preamble to spare."""

_MOST_OUT = const(16)

# The first byte on MOSI gives the direction (UM0701-02, 6.2.5.1); the low bit travels first.
_WRITE = const(0x01)
_STATUS = const(0x02)
_READ = const(0x03)

# The bits of a nibble in the opposite order.
_MIRROR = b"\x00\x08\x04\x0c\x02\x0a\x06\x0e\x01\x09\x05\x0d\x03\x0b\x07\x0f"


class SPIBus:
    """A PN532 on SPI; its switches or solder bridges must say SPI, too.

    Args:
        spi: mode 0, at most 5 MHz.
        cs: chip select, active low.
        lsb_first: the bus itself sends the low bit first; else bytes are mirrored here, which
            takes about half a millisecond for the longest frame on an ESP32.
    """

    name = "SPI"

    def __init__(self, spi: "SPI", cs: "Pin", lsb_first: bool = False) -> None:
        self._spi = spi
        self._cs = cs
        self._lsb_first = lsb_first
        self._out = bytearray(_MOST_OUT)
        self._ask = bytearray(LONGEST)
        self._ask[0] = self._order(_READ)
        self._ask_status = bytes((self._order(_STATUS), 0))
        self._two = bytearray(2)
        cs(1)

    def begin(self) -> None:
        """Select the chip, which wakes it; `write` ends that."""
        self._cs(0)

    def write(self, frame: bytes) -> None:
        """Send a frame of 15 bytes at the most."""
        out = self._out
        out[0] = self._order(_WRITE)
        for i in range(len(frame)):
            out[i + 1] = self._order(frame[i])
        self._cs(0)
        self._spi.write(memoryview(out)[: len(frame) + 1])
        self._cs(1)

    def status(self) -> int:
        """The status byte."""
        self._cs(0)
        self._spi.write_readinto(self._ask_status, self._two)
        self._cs(1)
        return self._order(self._two[1])

    def read(self, into: bytearray) -> None:
        """Fetch `LONGEST` bytes."""
        self._cs(0)
        self._spi.write_readinto(self._ask, into)
        self._cs(1)
        if not self._lsb_first:
            for i in range(len(into)):
                byte = into[i]
                into[i] = _MIRROR[byte & 15] << 4 | _MIRROR[byte >> 4]

    def _order(self, byte: int) -> int:
        return byte if self._lsb_first else _MIRROR[byte & 15] << 4 | _MIRROR[byte >> 4]
