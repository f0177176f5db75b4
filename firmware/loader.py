"""The loader's part that knows the ESP32; `update/slots.py` does the work."""

import os
import sys

import esp32
import machine
import vfs

from update import slots

_WATCHDOG_MS = 60_000
"""For importing a version; what is started sets a shorter time."""


def start():
    """Import the version that should run; see `update.slots.start`."""
    return slots.start(
        os.getcwd(),
        esp32.NVS(slots.NAMESPACE),
        load=_load,
        path=sys.path,
        modules=sys.modules,
        vfs=vfs,
        watchdog=lambda: machine.WDT(timeout=_WATCHDOG_MS),
    )


def _load():
    from board.start import run

    return run
