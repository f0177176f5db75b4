"""Calls the button's interrupt handler while nothing may be allocated."""

import sys

_ROOT = sys.argv[0].rsplit("/", 4)[0]
# Behind the real `time` of this VM, which the folder of this file would hide.
sys.path[:] = [_ROOT + "/sim/board", _ROOT + "/firmware", _ROOT, ".frozen"]

import circuit  # noqa: E402
import micropython  # noqa: E402

from board import pins  # noqa: E402
from board.button import Button  # noqa: E402

circuit.levels[pins.BUTTON] = 1
Button()
handler, _, pin = circuit.handlers[pins.BUTTON]
handler(pin)
micropython.heap_lock()
try:
    bytearray(64)
    allocated = True
except MemoryError:
    allocated = False
handler(pin)
micropython.heap_unlock()
print("allocating works here" if allocated else "allocating fails here")
print("the handler does not")
