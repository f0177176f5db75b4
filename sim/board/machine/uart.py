"""`machine.UART` of the ESP32. The receive buffer is the chip model's, at the line's speed."""

import io
from random import getrandbits

import circuit

_POLL = 3
_READABLE = 1
_WRITABLE = 4


class UART(io.IOBase):
    """A serial port; 8N1 only. With a wrong baud rate both sides hear rubbish."""

    def __init__(self, id, baudrate=115_200, bits=8, parity=None, stop=1, **kwargs):
        self._chip = None
        self.init(baudrate, bits, parity, stop, **kwargs)

    def init(self, baudrate=115_200, bits=8, parity=None, stop=1, *, rx=None, **kwargs):
        """Set the speed and, when given, the pin on which the other side is heard."""
        if bits != 8 or parity is not None or stop != 1:
            raise ValueError("the simulated UART speaks 8N1 only")
        if rx is not None:
            self._chip, self._bauds = circuit.uart.get(getattr(rx, "gpio", rx), (None, 0))
        self._clear = self._chip is not None and baudrate == self._bauds

    def deinit(self):
        """Hear nothing more."""
        self._chip = None

    def any(self):
        """Bytes that can be read without waiting."""
        return self._chip.any() if self._chip else 0

    def readinto(self, buf, nbytes=None):
        """Fill up to `nbytes` of a buffer; how many came, None when there were none."""
        if not self._chip:
            return None
        count = self._chip.readinto(buf, len(buf) if nbytes is None else nbytes)
        if count and not self._clear:
            for i in range(count):
                buf[i] = getrandbits(8)
        return count

    def read(self, nbytes=None):
        """Up to `nbytes` bytes, all there are without a number, None when there are none."""
        length = self.any()
        if nbytes is not None and 0 <= nbytes < length:
            length = nbytes
        buf = bytearray(length)
        return bytes(buf) if length and self.readinto(buf) else None

    def write(self, buf):
        """Send."""
        if self._clear:
            self._chip.write(buf)
        return len(buf)

    def ioctl(self, request, arg):
        """What `select` and asyncio ask. Waiting on it polls every millisecond."""
        if request == _POLL:
            return arg & (_WRITABLE | (_READABLE if self.any() else 0))
        return 0
