"""What MicroPython runs after a reset: the loader, and what it has chosen.

This file, the loader (`update/slots.py`, `update/bundle_files.py`) and the key are copied to a
unit once; everything else is in the bundle of the slot that runs. docs/update.md says how.
"""

import os
import sys

import esp32
import machine
import vfs


def _load():
    from board.start import run

    return run


def _start():
    from update import slots

    return slots.start(
        os.getcwd(),
        esp32.NVS(slots.NAMESPACE),
        _load,
        sys.path,
        sys.modules,
        vfs,
        lambda: machine.WDT(timeout=60_000),  # whoever is started makes it shorter
    )


place, run = _start()
run(place)
