"""A built firmware folder on the chip's own flash: LittleFS in the partition `vfs`, as on the unit.

What is copied there at the first start stays, as on a unit that was provisioned; only the broker's
address follows the parent process.
"""

import json
import os

import vfs
from esp32 import Partition

_CONFIG = "/config.json"
_MAIN = "main.py"


def files():
    """The file system, made when there is none yet."""
    flash = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
    try:
        return vfs.VfsLfs2(flash)
    except OSError:
        vfs.VfsLfs2.mkfs(flash)
        return vfs.VfsLfs2(flash)


def provision(config):
    """Copy /firmware to a new unit, what starts it last, and write the configuration."""
    if not _exists("/" + _MAIN):
        _copy("")
        _copy_file("/" + _MAIN)
    if _exists(_CONFIG):
        with open(_CONFIG) as file:
            kept = json.load(file)
        if all(kept["broker"].get(key) == value for key, value in config["broker"].items()):
            return
        kept["broker"].update(config["broker"])
        config = kept
    with open(_CONFIG, "w") as file:
        json.dump(config, file)


def _copy(folder):
    for entry in os.ilistdir("/firmware" + folder):
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            if not _exists(path):
                os.mkdir(path)
            _copy(path)
        elif path != "/" + _MAIN:
            _copy_file(path)


def _copy_file(path):
    with open("/firmware" + path, "rb") as source, open(path, "wb") as target:
        data = source.read(512)
        while data:
            target.write(data)
            data = source.read(512)


def _exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True
