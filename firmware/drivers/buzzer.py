"""Passive buzzer on a PWM pin: plays short patterns of notes, beside everything else.

Source: MicroPython 1.28, `machine.PWM` of the ESP32 (`init`, `duty_u16`).
"""

import asyncio

from port import const, sleep_ms

_HZ = const(50)
_MS = const(10)
_HALF = const(32768)


class Buzzer:
    """Plays one pattern at a time; a new one takes the place of what still sounds.

    A pattern is bytes, two for each note: its pitch in units of 50 Hz (0 is a pause) and its
    length in units of 10 ms.

    Args:
        pwm: `machine.PWM`, or whatever has its `init(freq=, duty_u16=)` and `duty_u16(duty)`.
    """

    def __init__(self, pwm) -> None:
        self._pwm = pwm
        self._notes = b""
        self._next = 0
        self._ms = 0
        self._started = asyncio.Event()

    def play(self, notes: bytes) -> None:
        """Begin a pattern: its first note sounds before this returns."""
        self._notes = notes
        self._next = 0
        self._step()
        self._started.set()

    async def run(self) -> None:
        """Play what `play` is given, for ever."""
        self._pwm.duty_u16(0)
        while True:
            await self._started.wait()
            self._started.clear()
            while self._ms:
                await sleep_ms(self._ms)
                if self._started.is_set():
                    self._started.clear()
                else:
                    self._step()

    def _step(self) -> None:
        hz = self._ms = 0
        if self._next + 1 < len(self._notes):
            hz = self._notes[self._next] * _HZ
            self._ms = self._notes[self._next + 1] * _MS
            self._next += 2
        if hz:
            self._pwm.init(freq=hz, duty_u16=_HALF)
        else:
            self._pwm.duty_u16(0)
