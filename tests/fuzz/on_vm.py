"""The unit's wires on the MicroPython VM: `on_vm.py <count> <seed>`; one line of JSON a wire."""

import json
import random
import sys
import time

from tests.fuzz.chip_wires import CHIP_WIRES
from tests.fuzz.draw import Draw
from tests.fuzz.wires import WIRES


def main(count, seed):
    for kind in CHIP_WIRES + WIRES:
        random.seed(seed)
        draw = Draw(random.getrandbits)
        wire = kind()
        taken = crashes = 0
        begun = time.ticks_ms()
        for _ in range(count):
            data = draw.hostile(wire.good)
            try:
                taken += bool(wire.feed(data, draw))
            except Exception as error:  # noqa: BLE001 (any of them is what is looked for)
                crashes += 1
                sys.print_exception(error, sys.stderr)
                print(data, file=sys.stderr)
                wire = kind()
        took = time.ticks_diff(time.ticks_ms(), begun) / 1000
        print(json.dumps([wire.name, count, taken, crashes, took]))


main(int(sys.argv[1]), int(sys.argv[2]))
