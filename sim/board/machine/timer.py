"""`machine.Timer`: four hardware timers, on asyncio's loop."""

import asyncio
import time

from micropython import schedule


class Timer:
    """Calls a function once or again and again; drift-free, through the scheduler."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id, **kwargs):
        if not 0 <= id <= 3:
            raise ValueError("invalid Timer number")
        self._task = None
        if kwargs:
            self.init(**kwargs)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None, **kwargs):
        """Start, with a frequency in hertz or a period in milliseconds."""
        self.deinit()
        self._task = asyncio.create_task(
            self._run(mode, int(1000 / freq) if freq > 0 else period, callback)
        )

    def deinit(self):
        """Stop."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def _run(self, mode, period, callback):
        due = time.ticks_ms()
        while True:
            due = time.ticks_add(due, period)
            await asyncio.sleep_ms(max(0, time.ticks_diff(due, time.ticks_ms())))
            if callback:
                schedule(callback, self)
            if mode == self.ONE_SHOT:
                return
