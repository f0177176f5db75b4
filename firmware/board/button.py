"""The button's contact on its pin."""

import asyncio

import machine

from board import pins
from port import ticks_ms


class Button:
    """The button's contact: closed pulls the pin low."""

    def __init__(self) -> None:
        self._pin = machine.Pin(pins.BUTTON, machine.Pin.IN)
        self._flag = asyncio.ThreadSafeFlag()
        self._edge = ticks_ms()
        self._pin.irq(self._on_edge, machine.Pin.IRQ_FALLING)

    def closed(self) -> bool:
        """Whether the contact is closed now."""
        return not self._pin.value()

    def wake(self) -> None:
        """End a `wait` as an edge would."""
        self._on_edge(self._pin)

    def clear(self) -> None:
        """Forget the edges so far."""
        self._flag.clear()

    async def wait(self) -> int:
        """Wait for an edge; returns its `port.ticks_ms`."""
        await self._flag.wait()
        return self._edge

    def _on_edge(self, _) -> None:
        # Runs from the scheduler between any two bytecodes: it allocates nothing.
        self._edge = ticks_ms()
        self._flag.set()
