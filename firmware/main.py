"""What MicroPython runs after a reset: the loader chooses a version, and this starts it.

This file, `loader.py` with what it imports, and the key are copied to a unit once; everything else
is in the bundle of the slot that runs (docs/update.md).
"""

import loader

running, trial, run = loader.start()
del loader  # nothing of it stays in memory
run(running, trial)
