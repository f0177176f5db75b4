"""NOR flash in memory that is stricter than real flash and can lose its power at any byte."""


class PowerCut(Exception):
    """The power failed; everything in RAM is gone."""


class Nor:
    """A few small erase blocks with the interface of `esp32.Partition`.

    Programming a byte twice is an error, as on encrypted flash. `budget` is how many more bytes
    can be programmed (an erase counts as `ERASE` of them) until the power fails: the byte being
    programmed then gets some of its bits only, a block being erased is left half erased.
    """

    ERASE = 6

    def __init__(self, blocks: int = 5, size: int = 384, seed: int = 1) -> None:
        self.blocks = blocks
        self.size = size
        self.data = bytearray(b"\xff" * blocks * size)
        self.programmed = bytearray(blocks * size)
        self.budget = None
        self.spent = 0
        self.erases = [0] * blocks
        self._random = seed

    def readblocks(self, block, buf, offset=0):
        start = block * self.size + offset
        assert offset + len(buf) <= self.size
        buf[:] = self.data[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        assert offset % 16 == 0
        assert len(buf) % 16 == 0
        assert offset + len(buf) <= self.size
        start = block * self.size + offset
        for i in range(len(buf)):
            new, old = buf[i], self.data[start + i]
            assert not self.programmed[start + i], "programmed twice"
            assert old & new == new, "0 cannot become 1"
            if self._spend():
                self.data[start + i] = old & (new | self.random(256))
                self.programmed[start + i] = self.data[start + i] != 0xFF
                raise PowerCut
            self.data[start + i] = new
            self.programmed[start + i] = new != 0xFF

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return self.size
        if op == 6:
            self._erase(arg)
        return 0

    def random(self, limit: int) -> int:
        """A repeatable random number below `limit`."""
        self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._random >> 8) % limit

    def _erase(self, block):
        start = block * self.size
        self.erases[block] += 1
        for step in range(self.ERASE):
            if self._spend():
                self._half_erase(start, step)
                raise PowerCut
        for i in range(start, start + self.size):
            self.data[i] = 0xFF
            self.programmed[i] = 0

    def _half_erase(self, start, step):
        """From untouched over the front half or single bits gone to just not finished."""
        for i in range(self.size):
            gone = (0, 0, self.random(256), self.random(256) | self.random(256), 0xFF, 0xFF)[step]
            if (step == 1 and i < self.size // 2) or (step == 5 and i):
                gone = 0xFF
            elif step == 5:
                gone = 0xFE
            self.data[start + i] |= gone

    def _spend(self) -> bool:
        self.spent += 1
        if self.budget is None:
            return False
        self.budget -= 1
        return self.budget < 0
