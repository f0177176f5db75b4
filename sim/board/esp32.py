"""`esp32` as on MicroPython's ESP32 port: flash partitions and non-volatile storage, in files."""

import os

import flash_map

_BLOCK = 4096
_CHUNK = 256
_SMALL_BLOCK, _SMALL_BLOCKS = 512, 5
_FIRST = 1  # the block that the journals of a new unit begin in

_INVALID_ARG = -258
_INVALID_SIZE = -260
_NVS_NOT_FOUND = -4354
_NVS_LENGTH = -4364
_NVS_NAME = -4361

_TABLE = flash_map.load(__file__.rsplit("/", 3)[0] + "/hardware/partitions.csv")
"""label -> (type, subtype, address, size)."""


class Partition:
    """A data partition with the physics of NOR flash.

    A block is erased to FFh as a whole; programming only turns ones into zeros, so writing over
    what was written leaves the AND of both. The file grows as far as flash was programmed; what
    lies behind reads as erased.
    """

    TYPE_APP = 0
    TYPE_DATA = 1

    budget = None
    """Bytes that may still be programmed until the power fails in the middle; None is for ever."""
    cut = None
    """Called when the budget is used up; does not return."""
    worn = False
    """Whether the block that a new unit wrote to first keeps nothing more that is written to it."""
    dead = False
    """Whether the block after that one keeps nothing, as is seen when the journal comes to it."""
    small = False
    """Whether partitions that are opened from now on are the smallest that can be."""

    def __init__(self, label, block_size=_BLOCK):
        if label not in _TABLE:
            raise OSError(-261, "ESP_ERR_NOT_FOUND")
        self._label = label
        small = Partition.small and label != "vfs"  # the program's own files have to fit
        self._block = _SMALL_BLOCK if small else _BLOCK
        self._size = _SMALL_BLOCKS * _SMALL_BLOCK if small else _TABLE[label][3]
        name = "/soc/%s.flash" % label
        try:
            self._file = open(name, "r+b")  # noqa: SIM115 (open as long as the chip has power)
        except OSError:
            self._file = open(name, "w+b")  # noqa: SIM115
        self._length = self._file.seek(0, 2)
        self._old = bytearray(_CHUNK)

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=_BLOCK):  # noqa: ARG004
        """Partitions of this type and, when given, subtype and label."""
        return [
            Partition(name)
            for name in sorted(_TABLE)
            if _TABLE[name][0] == type
            and label in (None, name)
            and subtype in (0xFF, _TABLE[name][1])
        ]

    def info(self):
        """(type, subtype, address, size, label, encrypted)."""
        return _TABLE[self._label] + (self._label, False)

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from `offset` in `block`."""
        start = self._place(block, offset, len(buf))
        if start + len(buf) <= self._length:
            # On the chip this allocates nothing: what a file system reads must leave no garbage
            # between the modules that it reads for.
            self._file.seek(start)
            self._file.readinto(buf)
            return
        view = memoryview(buf)
        there = min(max(self._length - start, 0), len(buf))
        if there:
            self._file.seek(start)
            self._file.readinto(view[:there])
        for i in range(there, len(buf)):
            view[i] = 0xFF

    def writeblocks(self, block, buf, offset=None):
        """Program `buf`; without an offset the blocks that it covers are erased before."""
        start = self._place(block, offset or 0, len(buf))
        if offset is None:
            if len(buf) % self._block:
                raise OSError(_INVALID_SIZE, "ESP_ERR_INVALID_SIZE")
            for i in range(len(buf) // self._block):
                self._erase(block + i)
        view = memoryview(buf)
        for i in range(0, len(buf), _CHUNK):
            self._program(start + i, view[i : i + _CHUNK])

    def ioctl(self, op, arg):
        """4: number of blocks, 5: their size, 6: erase block `arg`; others do nothing."""
        if op == 4:
            return self._size // self._block
        if op == 5:
            return self._block
        if op == 6:
            self._place(arg, 0, self._block)
            self._erase(arg)
        return 0

    def _place(self, block, offset, length):
        start = block * self._block + offset
        if start < 0 or offset < 0:
            raise OSError(_INVALID_ARG, "ESP_ERR_INVALID_ARG")
        if start + length > self._size:
            raise OSError(_INVALID_SIZE, "ESP_ERR_INVALID_SIZE")
        return start

    def _erase(self, block):
        self._spend(0)
        start = block * self._block
        end = min(start + self._block, self._length)
        self._file.seek(start)
        for i in range(start, end, _CHUNK):
            self._file.write(b"\xff" * min(_CHUNK, end - i))

    def _program(self, start, data):
        block = start // self._block
        if (Partition.worn and block == _FIRST) or (Partition.dead and block == _FIRST + 1):
            return
        failing = self._spend(len(data))
        if failing is not None:
            data = data[:failing]
        old = memoryview(self._old)[: len(data)]
        self._grow(start)
        self._file.seek(start)
        there = min(max(self._length - start, 0), len(data))
        if there:
            self._file.readinto(old[:there])
        for i in range(there):
            old[i] &= data[i]
        old[there:] = data[there:]
        self._file.seek(start)
        self._file.write(old)
        self._length = max(self._length, start + len(data))
        if failing is not None:
            Partition.cut()

    def _grow(self, start):
        """Erased flash up to `start`, where the file ends before."""
        if self._length < start:
            self._file.seek(self._length)
            while self._length < start:
                self._length += self._file.write(b"\xff" * min(_CHUNK, start - self._length))

    @classmethod
    def _spend(cls, length):
        """Count down to a planned power cut; how many bytes still go in before it, or None."""
        if cls.budget is None:
            return None
        left, cls.budget = cls.budget, cls.budget - length
        return left if cls.budget < 0 else None

    @staticmethod
    def rot():
        """A bit turns over in the first fact that a new unit has written, in each partition."""
        for label in _TABLE:
            try:
                with open("/soc/%s.flash" % label, "r+b") as file:
                    _turn_over(file)
            except OSError:
                pass

    @staticmethod
    def mark_app_valid_cancel_rollback():
        """The application started well; there is no other one here to roll back to."""


def _turn_over(file):
    """In its number: a block begins with 128 bytes of header (the firmware's `sectors.py`)."""
    place = _FIRST * _BLOCK + 128 + 8
    file.seek(place)
    byte = file.read(1)
    if byte:
        file.seek(place)
        file.write(bytes((byte[0] ^ 4,)))


class NVS:
    """Non-volatile storage. What is not committed is lost with the power."""

    def __init__(self, namespace):
        if not 0 < len(namespace) <= 15:
            raise OSError(_NVS_NAME, "ESP_ERR_NVS_INVALID_NAME")
        self._prefix = "/soc/nvs/%s." % namespace
        self._pending = {}
        try:
            os.mkdir("/soc/nvs")
        except OSError:
            pass

    def set_i32(self, key, value):
        """Keep a signed 32-bit number."""
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("NVS: %s doesn't fit in 32 bits" % key)
        self._set(key, ".i32", b"%d" % value)

    def get_i32(self, key):
        """A number; OSError(-4354) when there is none of this name."""
        return int(self._get(key, ".i32"))

    def set_blob(self, key, value):
        """Keep bytes."""
        self._set(key, ".blob", bytes(value))

    def get_blob(self, key, buffer):
        """Copy into a buffer that is long enough; how many bytes there were."""
        value = self._get(key, ".blob")
        if len(value) > len(buffer):
            raise OSError(_NVS_LENGTH, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        """Forget a key of either type."""
        found = False
        for kind in (".i32", ".blob"):
            try:
                self._get(key, kind)
            except OSError:
                continue
            self._pending[key + kind] = None
            found = True
        if not found:
            raise OSError(_NVS_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")

    def commit(self):
        """Write what was set; each key is replaced in one step."""
        for name, value in self._pending.items():
            path = self._prefix + name
            if value is None:
                try:
                    os.remove(path)
                except OSError:
                    pass
                continue
            with open(path + "~", "wb") as file:
                file.write(value)
            os.rename(path + "~", path)
        self._pending.clear()

    def _set(self, key, kind, value):
        if not 0 < len(key) <= 15:
            raise OSError(_NVS_NAME, "ESP_ERR_NVS_INVALID_NAME")
        self._pending[key + kind] = value

    def _get(self, key, kind):
        name = key + kind
        if name in self._pending:
            value = self._pending[name]
        else:
            try:
                with open(self._prefix + name, "rb") as file:
                    value = file.read()
            except OSError:
                value = None
        if value is None:
            raise OSError(_NVS_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return value
