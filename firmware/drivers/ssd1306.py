"""SSD1306: a 128 x 64 monochrome display on I2C.

Source: Solomon Systech SSD1306 data sheet rev. 1.1: I2C 8.1.5, commands table 9 and chapter 10,
application note (charge pump). The chip cannot be read over I2C: whether it is there shows only
in its acknowledge.
"""

from binascii import crc32

from drivers.fault import ChipFault
from port import const, sleep_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2C, Buffer

WIDTH = const(128)
HEIGHT = const(64)

_PAGES = const(8)
_DATA = b"\x40"
_SETUP = (
    b"\x00"  # control byte: only commands follow
    b"\xae"  # off while it is set up
    b"\xd5\x80"  # oscillator
    b"\xa8\x3f"  # 64 rows
    b"\xd3\x00\x40"  # no offset, first row on top
    b"\x8d\x14"  # charge pump on: there is no panel supply
    b"\x20\x00"  # horizontal addressing
    b"\xa1\xc8"  # mounted with the connector on top
    b"\xda\x12"  # row pins
    b"\x81\xcf\xd9\xf1\xdb\x40"  # contrast, precharge, deselect level
    b"\xa4\xa6\x2e"  # show memory, not inverted, no scrolling
)
_NOP = b"\x00\xe3"


class SSD1306:
    """The display: draw into `buffer`, then `show` or `refresh`.

    Args:
        i2c: at most 400 kHz.
        address: 3Ch, or 3Dh with its jumper moved.

    Attributes:
        buffer: 1,024 bytes, eight pages of 128 columns, each byte eight rows, bit 0 on top
            (framebuf.MONO_VLSB).
    """

    def __init__(self, i2c: "I2C", address: int = 0x3C) -> None:
        self.buffer = bytearray(WIDTH * _PAGES)
        self._i2c = i2c
        self._address = address
        self._shown = [0] * _PAGES  # CRC-32 of each page as the chip has it; a copy takes 1 KiB
        self._stale = 0xFF  # pages whose content on the chip is not known, one bit each
        self._window = bytearray(b"\x00\x21\x00\x7f\x22\x00\x00")
        self._two = bytearray(3)
        drawn = memoryview(self.buffer)
        starts = range(0, WIDTH * _PAGES, WIDTH)
        self._vectors = [(_DATA, drawn[start : start + WIDTH]) for start in starts]

    def start(self) -> None:
        """Set the chip up, clear what it shows, switch it on; blocks 30 ms at 400 kHz.

        The memory of the chip is random after power-up. `buffer` is kept.

        Raises:
            ChipFault: nobody acknowledges.
        """
        self._send(_SETUP)
        self._stale = 0xFF
        self.show()
        self.power(True)

    def show(self, pages: int = _PAGES) -> int:
        """Send pages that have changed, `pages` of them at the most; 3 ms each at 400 kHz.

        Returns:
            How many changed pages are left.

        Raises:
            ChipFault: nobody acknowledges; what was not sent will be sent by the next call.
        """
        left = 0
        for page in range(_PAGES):
            bit = 1 << page
            drawn = crc32(self._vectors[page][1])
            if not self._stale & bit and drawn == self._shown[page]:
                continue
            if pages <= 0:
                left += 1
                continue
            pages -= 1
            self._stale |= bit  # until the last byte is acknowledged
            self._send_page(page)
            self._shown[page] = drawn
            self._stale &= ~bit
        return left

    async def refresh(self) -> None:
        """Send all changed pages, one at a time, letting other tasks run in between.

        Raises:
            ChipFault: nobody acknowledges.
        """
        while self.show(1):
            await sleep_ms(0)

    def contrast(self, level: int) -> None:
        """Brightness, 0 to 255.

        Raises:
            ChipFault: nobody acknowledges.
        """
        two = self._two
        two[0], two[1], two[2] = 0x00, 0x81, min(max(level, 0), 255)
        self._send(two)

    def power(self, on: bool) -> None:
        """Switch the panel on or off; off keeps the picture and takes microamperes.

        Raises:
            ChipFault: nobody acknowledges.
        """
        self._send(b"\x00\xaf" if on else b"\x00\xae")

    def check(self) -> None:
        """Self-test: does the chip acknowledge?

        Raises:
            ChipFault: it does not.
        """
        self._send(_NOP)

    def _send_page(self, page: int) -> None:
        self._window[5] = self._window[6] = page
        self._send(self._window)
        try:
            self._i2c.writevto(self._address, self._vectors[page])
        except OSError as error:
            raise self._fault(error) from error

    def _send(self, data: "Buffer") -> None:
        try:
            self._i2c.writeto(self._address, data)
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> ChipFault:
        return ChipFault("display", "no acknowledge at address %02Xh (%s)" % (self._address, error))
