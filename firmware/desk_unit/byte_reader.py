"""Reads what has arrived from a stream whose own read waits for as many bytes as were asked for.

MicroPython's standard input and character devices are like that; sockets and UARTs are not.
"""

import asyncio
import select


class ByteReader:
    """A reader as asyncio's, of which only `read` is there.

    Args:
        stream: A stream of bytes that can be polled.
    """

    def __init__(self, stream) -> None:
        self._stream = stream
        self._first = asyncio.StreamReader(stream)
        self._poll = select.poll()
        self._poll.register(stream, select.POLLIN)

    async def read(self, most: int) -> bytes:
        """From 1 to `most` bytes; none when the stream has ended."""
        data = await self._first.read(1)
        while data and len(data) < most and self._poll.poll(0):
            more = self._stream.read(1)
            if not more:
                break
            data += more
        return data
