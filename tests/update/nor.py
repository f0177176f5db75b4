"""Flash and NVS of a unit in RAM, for MicroPython, which know every state that a cut can leave.

A power cut stops the processor, so what it leaves is a state of flash and NVS between two
operations, or in the middle of one: it is enough to record those states while a life goes on
undisturbed, and to start a new life from each. A read changes nothing; a cut there leaves what a
cut before the next write leaves.
"""

import os
from hashlib import sha256


class PowerCut(BaseException):
    """Raised at the chosen operation and at each one after it: the processor is dead."""


class Nor:
    """NOR flash as a block device for `VfsLfs2`: erasing sets bits, programming clears them."""

    def __init__(self, data, size=512):
        self.data = bytearray(data)
        self.size = size
        self.before = None
        """Called as before(kind) before each operation: "read", "prog" or "erase"."""
        self.torn = None
        """Called in the middle of each prog and erase."""

    def readblocks(self, block, buf, offset=0):
        """Copy out."""
        if self.before:
            self.before("read")
        start = block * self.size + offset
        buf[:] = memoryview(self.data)[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Program; what is programmed must be erased."""
        if self.before:
            self.before("prog")
        start = block * self.size + offset
        assert self.data[start : start + len(buf)] == b"\xff" * len(buf), "programmed twice"
        half = len(buf) // 2
        self.data[start : start + half] = buf[:half]
        if self.torn:
            self.torn()
        self.data[start + half : start + len(buf)] = buf[half:]

    def ioctl(self, op, arg):
        """4: number of blocks, 5: their size, 6: erase block `arg`."""
        if op == 4:
            return len(self.data) // self.size
        if op == 5:
            return self.size
        if op == 6:
            if self.before:
                self.before("erase")
            start, half = arg * self.size, self.size // 2
            self.data[start : start + half] = b"\xff" * half
            if self.torn:
                self.torn()
            self.data[start + half : start + self.size] = b"\xff" * half
        return 0


class Nvs:
    """`esp32.NVS` in RAM."""

    def __init__(self, kept=None):
        self.kept = dict(kept or {})
        self.before = None
        """Called as before(kind) before each "set" and "commit"."""
        self.torn = None
        """Called with what is kept if a number that was set has reached the flash uncommitted."""
        self._set = {}

    def get_i32(self, key):
        """A number; OSError if there is none."""
        if key in self._set:
            return self._set[key]
        if key not in self.kept:
            raise OSError(-4354)
        return self.kept[key]

    def set_i32(self, key, value):
        """Keep a number."""
        if self.before:
            self.before("set")
        self._set[key] = value

    def commit(self):
        """Make it durable."""
        if self.before:
            self.before("commit")
        if self.torn:
            self.torn(dict(self.kept, **self._set))
        self.kept.update(self._set)
        self._set = {}


class Power:
    """Flash and NVS together: what a life leaves behind, at every moment of it."""

    def __init__(self, state, size=512):
        data, kept = state
        self.flash = Nor(data, size)
        self.nvs = Nvs(kept)
        self.counts = {"read": 0, "prog": 0, "erase": 0, "set": 0, "commit": 0}
        self.states = None
        """Every distinct state so far, by its hash, if `record` was called."""

    def state(self):
        """What a cut would leave now."""
        return bytes(self.flash.data), dict(self.nvs.kept)

    def record(self):
        """From now on keep every state that a cut could leave."""
        self.states = {}
        self.flash.before = self.nvs.before = self._before
        self.flash.torn = self._torn
        self.nvs.torn = self._torn

    def cut(self, at):
        """Fail at the operation with this number, from 0, and stay dead."""
        left = [at]

        def before(_):
            left[0] -= 1
            if left[0] < 0:
                raise PowerCut

        self.flash.before = self.nvs.before = before

    def _before(self, kind):
        self.counts[kind] += 1
        if kind != "read":
            self._torn()

    def _torn(self, kept=None):
        state = (bytes(self.flash.data), dict(self.nvs.kept) if kept is None else kept)
        self.states[fingerprint(state)] = state


def fingerprint(state):
    """A short name for a state."""
    data, kept = state
    return sha256(data + repr(sorted(kept.items())).encode()).digest()


def blank(blocks, size=512):
    """The state of a unit whose file system is empty."""
    flash = Nor(b"\xff" * (blocks * size), size)
    os.VfsLfs2.mkfs(flash)
    return bytes(flash.data), {}
