"""`machine.WDT`: the parent process holds the deadline, so that nothing in here can escape it."""

import time

import circuit


class WDT:
    """A watchdog that can't be stopped. Unfed it resets the unit after `timeout` ms.

    Feeding is reported four times per timeout at the most; the parent adds that to the deadline,
    so the reset comes between one and one and a quarter timeouts after the last feed.
    """

    def __init__(self, id=0, timeout=5000):
        if timeout < 1:
            raise ValueError("WDT timeout too short")
        self._gap = timeout // 4
        self._told = time.ticks_ms()
        circuit.tell('{"wdt":%d}' % timeout)

    def feed(self):
        """Begin the time anew."""
        now = time.ticks_ms()
        if time.ticks_diff(now, self._told) >= self._gap:
            self._told = now
            circuit.tell('{"fed":1}')
