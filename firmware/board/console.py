"""The USB serial line of the ESP32's board as a stream of bytes.

UART 0 is MicroPython's console. What the firmware prints goes out between the frames; the
gateway drops it, for it bears no checksum.
"""

import asyncio
import select
import sys

import micropython


class Console:
    """The reader: waits for one byte, then takes what has arrived.

    On the ESP32 a read from standard input blocks until it has as many bytes as were asked for
    (ports/esp32, mp_hal_stdin_rx_chr), so that it must be asked for one at a time.
    """

    def __init__(self) -> None:
        self._stream = asyncio.StreamReader(sys.stdin.buffer)
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)

    async def read(self, most: int) -> bytes:
        """From 1 to `most` bytes; none when the line is gone."""
        data = await self._stream.read(1)
        while data and len(data) < most and self._poll.poll(0):
            more = sys.stdin.buffer.read(1)
            if not more:
                break
            data += more
        return data


async def open_console():
    """(reader, writer) of asyncio over standard input and output, in bytes.

    Ctrl-C does not interrupt the firmware from here on: a frame may hold its byte.
    """
    micropython.kbd_intr(-1)
    return Console(), asyncio.StreamWriter(sys.stdout.buffer, {})
