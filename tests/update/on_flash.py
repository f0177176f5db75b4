# Runs on MicroPython, which has neither pathlib nor pytest.
# ruff: noqa: PTH102, PTH123, PTH208, SIM117, UP031
"""On the MicroPython VM: what an update needs of memory and time, and what a full flash does.

`on_flash.py cost FOLDER BUNDLE NAME BLOCKS` fetches the bundle of that name into slot `b` of a unit
that was made with it in slot `a`, on a LittleFS of so many blocks of the chip's size, in a file of
the posix file system; `on_flash.py full …` does so for sizes of the file system from too small up
to that. The result is one line of JSON.
"""

import asyncio
import gc
import json
import os
import sys
import time

from tests.update.nor import Nor, Nvs
from update import slots
from update.head import digest_of
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
    return Updater(root=ROOT, nvs=Nvs(), running=1, key=key, unit=unit, fetch=fetch)


def provision(folder, flash):
    """Make a file system with what a new unit has, and mount it."""
    os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), ROOT)
    os.mkdir(ROOT + "/update")
    for path in os.listdir(folder):
        if path.startswith("unit-"):
            with open(folder + "/" + path, "rb") as source:
                with open(ROOT + "/" + path[5:].replace("-", "/"), "wb") as target:
                    target.write(source.read())


def kept(folder):
    """What of a new unit's files is not as it was."""
    wrong = []
    for path in os.listdir(folder):
        if path.startswith("unit-"):
            copied = ROOT + "/" + path[5:].replace("-", "/")
            try:
                if digest_of(copied, 0, 1 << 20) != digest_of(folder + "/" + path, 0, 1 << 20):
                    wrong.append(path)
            except OSError:
                wrong.append(path)
    return wrong


def cost(folder, file, name, blocks):
    """Memory and time of a whole update, and the room that it leaves."""
    provision(folder, FileFlash(folder + "/flash", blocks))
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
        "blocks_left": os.statvfs(ROOT)[3],
        "harmed": kept(folder),
    }


def full(folder, file, name, blocks):
    """For every size of the file system: was it installed, or why not, and is all as it was?"""
    results = {}
    with open(file, "rb") as bundle:
        size = bundle.seek(0, 2)
        for count in range(blocks // 2, blocks + 1, 2):
            try:
                provision(folder, Nor(b"\xff" * (count * SIZE), SIZE))
            except OSError:
                result = "too small for slot a"
            else:
                result = attempt(folder, bundle, size, name)
            results[result] = results.get(result, 0) + 1
            os.umount(ROOT)
    return results


def attempt(folder, bundle, size, name):
    """One update; what came of it."""
    update = updater(folder, bundle, lambda: None)
    try:
        asyncio.run(update.run(name, size))
        result = "installed" if slots.ready(ROOT, 2) else "not ready"
    except Refused as refused:
        result = refused.reason
        left = [name for name in os.listdir(ROOT) if name.startswith("b.")]
        if left:
            result += ", and left %s" % left
    harmed = kept(folder)
    return result + (", and harmed %s" % harmed if harmed else "")


if __name__ == "__main__":
    what, folder, file, name, blocks = sys.argv[1:]
    print(json.dumps({"cost": cost, "full": full}[what](folder, file, name, int(blocks))))
