"""A signal that comes at a bad moment.

A relay that was told to stop while messages poured in once did not end within twenty seconds. The
handler set the event that the interrupted thread was perhaps just looking at, and then both wait
for ever.
"""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading
from host_bridge.signals import on_end

end = threading.Event()
on_end(end.set)
with end._cond:  # as within end.wait() and end.clear()
    os.kill(os.getpid(), signal.{which})
    for _ in range(1000):
        pass
print("ended" if end.wait(10) else "did not hear it")
"""


@pytest.mark.parametrize("which", ["SIGINT", "SIGTERM"])
def test_a_signal_that_interrupts_the_event_which_it_sets_ends_the_program(which: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(which=which)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "ended"), done.stderr
