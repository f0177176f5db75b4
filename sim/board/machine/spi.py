"""`machine.SPI` and `SoftSPI`: clock bytes through whichever chip is selected."""

import circuit


class SPI:
    """A bus controller; mode 0, most significant bit first. Chip select is a pin of yours."""

    MSB = 0
    LSB = 1

    def __init__(self, *args, baudrate=1_000_000, polarity=0, phase=0, **kwargs):
        self.init(baudrate=baudrate, polarity=polarity, phase=phase)

    def init(self, baudrate=1_000_000, polarity=0, phase=0, **kwargs):
        """Set clock and mode; a chip on this board that hears another mode than 0 hears noise."""
        if baudrate > 80_000_000:
            raise ValueError("SPI: the ESP32 can't clock faster than 80 MHz")
        self._mode = polarity << 1 | phase

    def deinit(self):
        """Nothing is held."""

    def write(self, buf):
        """Send, and forget what comes back."""
        self._transfer(bytes(buf))

    def read(self, nbytes, write=0):
        """Receive while sending `write`."""
        return self._transfer(bytes((write,)) * nbytes)

    def readinto(self, buf, write=0):
        """Receive into a buffer while sending `write`."""
        buf[:] = self._transfer(bytes((write,)) * len(buf))

    def write_readinto(self, write_buf, read_buf):
        """Send and receive, buffers of one length."""
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        read_buf[:] = self._transfer(bytes(write_buf))

    def _transfer(self, data):
        for gpio in circuit.selected:
            if self._mode == 0:
                return circuit.spi[gpio].transfer(data)
        return b"\xff" * len(data)  # nobody drives MISO


SoftSPI = SPI
