"""What each module of the firmware keeps of the heap: `modules.py FIRMWARE`; a line a module.

Imports what a start imports, through an `__import__` that looks at the heap before and after.
Whichever module brings a name too many pays for the next table of names, some KB.
"""

import builtins
import gc
import sys

_FIRMWARE = sys.argv[1]
_ROOT = sys.argv[0].rsplit("/", 4)[0]
sys.path[:] = [_ROOT + "/tests/soak/on_vm", _ROOT + "/sim/board", _FIRMWARE, _ROOT, ".frozen"]

import circuit  # noqa: F401, E402 (the simulator's part is loaded before anything is measured)
import esp32  # noqa: F401, E402
import machine  # noqa: F401, E402
import network  # noqa: F401, E402

_original = builtins.__import__
_open = []
"""Bytes that modules took whose import goes on inside another one's."""
kept = {}


def measure(name, *more):
    """Import; whatever stays is the module's, but what other modules took meanwhile."""
    known = set(sys.modules)
    gc.collect()
    before = gc.mem_alloc()
    _open.append(0)
    module = _original(name, *more)
    gc.collect()
    took = gc.mem_alloc() - before
    inner = _open.pop()
    if _open:
        _open[-1] += took
    new = [key for key in sys.modules if key not in known and key not in kept]
    if new:
        whole = [key for key in new if key == name or key.endswith("." + name)]
        kept[(whole or sorted(new))[-1]] = took - inner
    return module


builtins.__import__ = measure
for word in ("board.start", "desk_unit.settings", "desk_unit.mqtt", "board.desk", "desk_unit.dial"):
    __import__(word)
builtins.__import__ = _original
for name in sorted(kept, key=lambda name: -kept[name]):
    print("%6d %s" % (kept[name], name))
