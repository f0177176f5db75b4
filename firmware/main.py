"""What MicroPython runs after a reset: the loader chooses a version, and this starts it.

This file, `loader.py` with what it imports, and the key are copied to a unit once; everything else
is in the bundle of the slot that runs (docs/update.md).
"""

import loader

running, trial, run = loader.start()
# Forgetting the loader does not free its memory for sure: the collector takes whatever looks like a
# pointer for one, and one on the stack is enough to keep 4 KB.
for module in (loader.slots, loader):
    module.__dict__.clear()
del loader, module
run(running, trial)
