"""WS2812B light ring: colours under a power budget.

Source: Worldsemi WS2812B data sheet (24 bits a pixel, green first). The pulses themselves are
made by whoever hands in `write`, on the ESP32 `machine.bitstream`.
"""

from port import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_CHANNEL_MA = const(20)  # one colour of one pixel at full brightness
_IDLE_MA = const(1)  # a dark pixel's own electronics


class WS2812:
    """A chain of pixels. `set` and `fill` prepare, `show` sends; neither allocates.

    Args:
        write: sends the bytes, green, red, blue for each pixel; it must not keep the buffer.
        pixels: how many.
        budget_ma: what the whole chain may draw; brighter pictures are dimmed as a whole, so
            that their colours stay. 120 mA is a quarter of what eight white pixels would take.

    Attributes:
        brightness: 0 to 255, for everything that is shown.
    """

    def __init__(
        self, write: "Callable[[bytearray], object]", pixels: int, budget_ma: int = 120
    ) -> None:
        self.brightness = 255
        self._write = write
        self._pixels = pixels
        self._colours = bytearray(3 * pixels)
        self._out = bytearray(3 * pixels)
        self._budget = max(budget_ma - pixels * _IDLE_MA, 0) * 255 // _CHANNEL_MA

    def __len__(self) -> int:
        return self._pixels

    def set(self, i: int, r: int, g: int, b: int) -> None:
        """Colour of pixel `i`, channels 0 to 255 (more or less is clamped).

        Raises:
            IndexError: there is no such pixel.
        """
        if not 0 <= i < self._pixels:
            raise IndexError("no pixel %d among %d" % (i, self._pixels))
        self._put(3 * i, r, g, b)

    def fill(self, r: int, g: int, b: int) -> None:
        """One colour for all pixels."""
        for i in range(0, 3 * self._pixels, 3):
            self._put(i, r, g, b)

    def show(self) -> None:
        """Send what was set, dimmed into the power budget."""
        numerator, denominator = self.brightness, 255
        total = 0
        for channel in self._colours:
            total += channel
        if total * self.brightness > self._budget * 255:
            numerator, denominator = self._budget, total
        for i in range(len(self._out)):
            self._out[i] = self._colours[i] * numerator // denominator
        self._write(self._out)

    def _put(self, at: int, r: int, g: int, b: int) -> None:
        colours = self._colours
        colours[at] = min(max(g, 0), 255)
        colours[at + 1] = min(max(r, 0), 255)
        colours[at + 2] = min(max(b, 0), 255)
