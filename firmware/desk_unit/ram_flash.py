"""Memory that behaves as flash: where a journal lives while its real flash is out of order."""

from port import const

_BLOCK = const(512)


class RamFlash:
    """Eight blocks of 512 bytes with the interface of `esp32.Partition`. Lost at a power cut."""

    def __init__(self, blocks: int = 8) -> None:
        self._data = bytearray(b"\xff" * (blocks * _BLOCK))

    def readblocks(self, block: int, buf, offset: int = 0) -> None:
        """Copy from `offset` in `block` into `buf`."""
        start = block * _BLOCK + offset
        buf[:] = memoryview(self._data)[start : start + len(buf)]

    def writeblocks(self, block: int, buf, offset: int = 0) -> None:
        """Program `buf` at `offset` in `block`."""
        start = block * _BLOCK + offset
        self._data[start : start + len(buf)] = buf

    def ioctl(self, op: int, arg: int):
        """4: number of blocks, 5: their size, 6: erase block `arg`."""
        if op == 4:
            return len(self._data) // _BLOCK
        if op == 5:
            return _BLOCK
        if op == 6:
            for i in range(arg * _BLOCK, (arg + 1) * _BLOCK):
                self._data[i] = 0xFF
        return 0
