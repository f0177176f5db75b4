# Runs on MicroPython, which has neither pathlib nor pytest.
# ruff: noqa: PTH123, PTH208, UP031
"""On the MicroPython VM: what an update needs of memory and time, and what a full flash does.

`on_flash.py cost FOLDER NAME` fetches the bundle of that name into a LittleFS with the chip's block
size, in files of the posix file system; `on_flash.py full FOLDER NAME` does so for every size of
the file system from too small up. The result is one line of JSON.
"""

import asyncio
import gc
import json
import os
import sys
import time

from tests.update.nor import Nor, Nvs
from update import slots
from update.manifest import Identity
from update.refusal import Refused
from update.signature import load_key
from update.updater import Updater

ROOT = "/unit"
SIZE = 4096


class FileFlash:
    """NOR flash in a file, for a heap that is as small as the chip's."""

    def __init__(self, path, blocks):
        self.blocks = blocks
        self.file = open(path, "w+b")  # noqa: SIM115 - open as long as the flash is in use
        for _ in range(blocks):
            self.file.write(b"\xff" * SIZE)

    def readblocks(self, block, buf, offset=0):
        """Copy out."""
        self.file.seek(block * SIZE + offset)
        self.file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        """Program."""
        self.file.seek(block * SIZE + offset)
        self.file.write(buf)

    def ioctl(self, op, arg):
        """4: number of blocks, 5: their size, 6: erase block `arg`."""
        if op == 6:
            self.file.seek(arg * SIZE)
            self.file.write(b"\xff" * SIZE)
        return {4: self.blocks, 5: SIZE}.get(op, 0)


def updater(folder, bundle, look):
    """An updater of a new unit whose host reads the bundle from a file."""

    async def fetch(_, offset, size):
        look()
        bundle.seek(offset)
        return bundle.read(size)

    unit = Identity("desk-unit", 1, 0, 6)
    key = load_key(folder + "/key")
    return Updater(root=ROOT, nvs=Nvs(), running=0, key=key, unit=unit, fetch=fetch)


def cost(folder, file, name):
    """Memory and time of a whole update."""
    flash = FileFlash(folder + "/flash", 240)
    os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), ROOT)
    least = [1 << 30]

    def look():
        least[0] = min(least[0], gc.mem_free())

    key = load_key(folder + "/key")
    gc.collect()
    before, began = gc.mem_alloc(), time.ticks_us()
    key.verifies(b"\x7f" * key.size, b"\x00" * 32)
    verify_us, verify_bytes = time.ticks_diff(time.ticks_us(), began), gc.mem_alloc() - before
    with open(file, "rb") as bundle:
        size = bundle.seek(0, 2)
        update = updater(folder, bundle, look)
        gc.collect()
        gc.threshold(4096)  # so that what is in use is seen, and not what is waiting to be freed
        free, began = gc.mem_free(), time.ticks_ms()
        done = asyncio.run(update.run(name, size))
        elapsed = time.ticks_diff(time.ticks_ms(), began)
    return {
        "done": done,
        "size": size,
        "ms": elapsed,
        "verify_us": verify_us,
        "verify_bytes": verify_bytes,
        "most_in_use": free - least[0],
        "free": free,
    }


def full(folder, file, name):
    """For every size of the file system: was it installed, or why not, and is all as it was?"""
    results = {}
    with open(file, "rb") as bundle:
        size = bundle.seek(0, 2)
        for blocks in range(4, 124, 3):
            flash = Nor(b"\xff" * (blocks * SIZE), SIZE)
            os.VfsLfs2.mkfs(flash)
            os.mount(os.VfsLfs2(flash), ROOT)
            with open(ROOT + "/main.py", "w") as main:
                main.write("the factory's")
            update = updater(folder, bundle, lambda: None)
            try:
                asyncio.run(update.run(name, size))
                result = "installed" if slots.ready(ROOT, 1) else "not ready"
            except Refused as refused:
                result = refused.reason
                if os.listdir(ROOT) != ["main.py"]:
                    result += ", and left %s" % os.listdir(ROOT)
            with open(ROOT + "/main.py") as main:
                if main.read() != "the factory's":
                    result += ", and main.py was harmed"
            results[result] = results.get(result, 0) + 1
            os.umount(ROOT)
    return results


if __name__ == "__main__":
    what, folder, file, name = sys.argv[1:]
    print(json.dumps({"cost": cost, "full": full}[what](folder, file, name)))
