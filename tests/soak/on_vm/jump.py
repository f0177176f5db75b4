"""Makes asyncio jump to the next timer when there is nothing to read. Import it before all else."""

import time
from asyncio import core

_POLL = 3
_BEGINS_US = 1_780_000_000_000_000


class Poller:
    """In place of `select.poll`, which sleeps for a real millisecond whenever it asks an object."""

    def __init__(self):
        self._flags = {}

    def register(self, stream, flags):
        """Ask this one too."""
        self._flags[id(stream)] = (stream, flags)

    modify = register

    def unregister(self, stream):
        """Don't ask it any more."""
        del self._flags[id(stream)]

    def ipoll(self, _ms):
        """(stream, flags) of all that are ready now."""
        if not self._flags:
            return ()
        asked = [(stream, stream.ioctl(_POLL, flags)) for stream, flags in self._flags.values()]
        return [(stream, ready) for stream, ready in asked if ready]


_look = core.IOQueue.wait_io_event


def _wait(queue, dt):
    """Instead of waiting `dt` ms for input: look whether there is some, then let time pass."""
    _look(queue, 0)
    task = core._task_queue.peek()
    if task is None:
        raise RuntimeError("every task waits for ever")
    left = task.ph_key - time.loop_ms()
    if left > 0:
        time.sleep_ms(left)


time.begin(0, _BEGINS_US)
time.look_us = 1  # so that loops that wait for a moment come to an end
core.ticks = time.loop_ms
core.IOQueue.wait_io_event = _wait
core._io_queue.poller = Poller()
