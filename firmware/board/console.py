"""The USB serial line of the ESP32's board as a stream of bytes.

UART 0 is MicroPython's console. What the firmware prints goes out between the frames; the
gateway drops it, for it bears no checksum.
"""

import asyncio
import sys

import micropython

from desk_unit.byte_reader import ByteReader


async def open_console():
    """(reader, writer) over standard input and output, in bytes.

    Ctrl-C does not interrupt the firmware from here on: a frame may hold its byte.
    """
    micropython.kbd_intr(-1)
    return ByteReader(sys.stdin.buffer), asyncio.StreamWriter(sys.stdout.buffer, {})
