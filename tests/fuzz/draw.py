"""Hostile bytes from a seed, on CPython and MicroPython: random, or good ones that were damaged."""


class Draw:
    """Random choices.

    `getrandbits` is called with at most 24; the same one gives the same bytes again.
    """

    def __init__(self, getrandbits):
        self._bits = getrandbits

    def below(self, limit):
        """A number from 0 to `limit` - 1."""
        return self._bits(24) % limit

    def choice(self, items):
        """One of them."""
        return items[self._bits(24) % len(items)]

    def bytes(self, count):
        """Random bytes; half of the time from few values, so that lengths and zeros occur."""
        if self._bits(1):
            return bytes([self._bits(8) for _ in range(count)])
        few = b"\x00\x01\x02\x7f\x80\xff\xc0" + bytes([self._bits(8)])
        return bytes([few[self._bits(3)] for _ in range(count)])

    def hostile(self, good):
        """Bytes for a wire whose good messages are `good`."""
        kind = self.below(8)
        if kind == 0:
            return self.bytes(self.below(80))
        data = bytearray(self.choice(good))
        if kind == 1:
            data += self.choice(good)
        for _ in range(self.below(4) if kind < 7 else 1 + self.below(30)):
            self._damage(data, good)
        return bytes(data)

    def _damage(self, data, good):
        how = self.below(7)
        at = self.below(len(data) + 1)
        if how == 0 and at < len(data):
            data[at] ^= 1 << self.below(8)
        elif how == 1 and at < len(data):
            data[at] = self.choice(b'\x00\x01\x7f\x80\xff"{}[]0-9e,:\\')
        elif how == 2:
            data[:] = data[:at]
        elif how == 3:
            data[:] = data[:at] + self.bytes(1 + self.below(4)) + data[at:]
        elif how == 4:
            data[:] = data[:at] + data[at + 1 + self.below(4) :]
        elif how == 5 and len(data) < 2000:
            again = bytes(data[at : at + 1 + self.below(60)]) * (1 + self.below(8))
            data[:] = data[:at] + again + data[at:]
        else:
            other = self.choice(good)
            data[:] = data[:at] + other[self.below(len(other) + 1) :]
