"""MicroPython's `esp32.Partition` on the flash file (docs: "class Partition")."""

# Runs on MicroPython only: CPython's types do not fit.
# mypy: ignore-errors

import struct

import parts

_TABLE = 0x8000
_ENTRY = "<2sBBII16sI"
_BLOCK = 4096


class Partition:
    """One partition: a block device with the extended interface."""

    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, kind, subtype, offset, size, label):
        self._info = (kind, subtype, offset, size, label, False)

    @classmethod
    def find(cls, kind=TYPE_APP, subtype=0xFF, label=None):
        """All partitions that fit, from the table in flash."""
        parts.flash.seek(_TABLE)
        table = parts.flash.read(0xC00)
        found = []
        for at in range(0, len(table), 32):
            magic, its, sub, offset, size, name, _ = struct.unpack_from(_ENTRY, table, at)
            if magic != b"\xaa\x50":
                break
            name = name.rstrip(b"\x00").decode()
            if its == kind and subtype in (0xFF, sub) and label in (None, name):
                found.append(cls(its, sub, offset, size, name))
        return found

    def info(self):
        """(type, subtype, address, size, label, encrypted)."""
        return self._info

    def readblocks(self, block, buffer, offset=0):
        """Fill the buffer."""
        parts.flash.seek(self._info[2] + block * _BLOCK + offset)
        parts.flash.readinto(buffer)

    def writeblocks(self, block, buffer, offset=None):
        """Write; without an offset the blocks are erased first."""
        if offset is None:
            for number in range(len(buffer) // _BLOCK):
                self.ioctl(6, block + number)
        parts.flash.seek(self._info[2] + block * _BLOCK + (offset or 0))
        parts.flash.write(buffer)

    def ioctl(self, op, argument):
        """4: number of blocks, 5: their size, 6: erase one."""
        if op == 4:
            return self._info[3] // _BLOCK
        if op == 5:
            return _BLOCK
        if op == 6:
            parts.flash.seek(self._info[2] + argument * _BLOCK)
            parts.flash.write(b"\xff" * _BLOCK)
            return 0
        return None
