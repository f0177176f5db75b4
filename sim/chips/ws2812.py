"""A chain of WS2812B pixels at its data pin.

Source: Worldsemi WS2812B data sheet. Modelled: 24 bits a pixel, green first, each pixel takes
the first three bytes it sees and passes on the rest; what is not sent keeps its colour; the
current drawn. Not modelled: pulse widths, the reset pause, incomplete bytes.
"""


class WS2812Model:
    """`write` what the data pin would carry; look at `pixels`.

    Attributes:
        pixels: (red, green, blue) for each pixel, as it shines now.
        frames: how often something was sent.
    """

    def __init__(self, count):
        self.pixels = [(0, 0, 0)] * count
        self.frames = 0

    def write(self, data):
        """One transmission, bytes in the order green, red, blue."""
        self.frames += 1
        for i in range(min(len(data) // 3, len(self.pixels))):
            green, red, blue = data[3 * i], data[3 * i + 1], data[3 * i + 2]
            self.pixels[i] = (red, green, blue)

    def milliamperes(self):
        """Current that the chain draws: 20 mA a full channel, 1 mA a pixel at rest."""
        return len(self.pixels) + sum(sum(pixel) for pixel in self.pixels) * 20 / 255
