"""Makes asyncio jump to the next timer when there is nothing to read. Import it before all else."""

import time
from asyncio import core

_POLL = 3


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
    left = task.ph_key - time.ticks_ms()
    if left > 0:
        time.sleep_ms(left)


core.IOQueue.wait_io_event = _wait
core._io_queue.poller = Poller()
