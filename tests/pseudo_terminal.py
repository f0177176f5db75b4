"""A serial cable without a serial port: two pseudo-terminals and what happens on the way.

The unit's end is `unit`, the gateway's `host`: paths that either opens like a serial device.
"""

import contextlib
import os
import select
import threading
import tty
from collections.abc import Callable

Change = Callable[[bytes], bytes]


class Cable:
    """Carries bytes both ways on a thread of its own until `close`."""

    def __init__(self) -> None:
        self.change_up: Change = lambda data: data
        self.change_down: Change = lambda data: data
        """What becomes of each chunk on its way to the host, and to the unit."""
        self.plugged = True
        self._stop, self._stopping = os.pipe()
        self._masters, self._slaves, names = [], [], []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self._masters.append(master)
            # Held open, so that an end that is closed and opened again finds the line there.
            self._slaves.append(slave)
            names.append(os.ttyname(slave))
        self.unit, self.host = names
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Pull it out: whoever has an end open sees it vanish."""
        os.write(self._stopping, b"x")
        self._thread.join()
        for file in (*self._masters, *self._slaves, self._stop, self._stopping):
            with contextlib.suppress(OSError):
                os.close(file)

    def say_to_host(self, data: bytes) -> None:
        """Bytes on the line that the unit never sent as a frame: noise, or console text."""
        os.write(self._masters[1], data)

    def say_to_unit(self, data: bytes) -> None:
        """The same in the other direction."""
        os.write(self._masters[0], data)

    def _carry(self) -> None:
        unit, host = self._masters
        while True:
            ready, _, _ = select.select([unit, host, self._stop], [], [])
            if self._stop in ready:
                return
            for source, sink, up in ((unit, host, True), (host, unit, False)):
                if source in ready:
                    data = os.read(source, 4096)
                    data = (self.change_up if up else self.change_down)(data)
                    if self.plugged and data:
                        os.write(sink, data)
