"""TCP through the virtual radio: takes the place of `asyncio.open_connection`."""

import asyncio
import time
from binascii import hexlify, unhexlify

import wire

_REFUSED = 111
_RESET = 104
_UNKNOWN = -2

round_trip_us = 10_000
"""The shortest time between something sent and its answer."""

called_us = None
"""When the next call was made, if that was before now (see `quiet_link.py`)."""

refused_after = 0
"""How many microseconds after the last call it was refused; 0 when it was not."""

_streams = {}
_opened = 0


class Stream:
    """Reader and writer of one connection, as asyncio's own."""

    def __init__(self, number):
        self._number = number
        self._in = bytearray()
        self._out = bytearray()
        self._changed = asyncio.Event()
        self.state = "opening"

    async def opened(self):
        """Wait until the other side has taken the call.

        Raises:
            OSError: nobody listens there.
        """
        while self.state == "opening":
            await self._changed.wait()
            self._changed.clear()
        if self.state == "refused":
            raise OSError(_REFUSED)

    def hear(self, state, data=""):
        """The connection is in this state now, and brought these bytes (hexadecimal)."""
        self.state = state
        self._in.extend(unhexlify(data))
        self._changed.set()

    async def read(self, n=-1):
        """Up to `n` bytes; none at the end."""
        while not self._in:
            if self.state == "closed":
                return b""
            if self.state == "reset":
                raise OSError(_RESET)
            self._changed.clear()
            await self._changed.wait()
        data = bytes(self._in[:n]) if n >= 0 else bytes(self._in)
        self._in = self._in[len(data) :]
        return data

    def write(self, data):
        """Bytes for the other side; `drain` sends them."""
        self._out.extend(data)

    async def drain(self):
        """Send.

        Raises:
            OSError: the connection is gone.
        """
        if self.state != "open":
            raise OSError(_RESET)
        _say('{"net":[%d,"%s"]}' % (self._number, hexlify(self._out).decode()))
        self._out = bytearray()

    def close(self):
        """Hang up."""
        if _streams.pop(self._number, None):
            _say('{"hang":%d}' % self._number)

    async def wait_closed(self):
        """Hanging up takes no time."""


async def open_connection(host, port, ssl=None, server_hostname=None):
    """Call somebody.

    Raises:
        OSError: nobody listens there. TLS is not simulated in virtual time.
    """
    global _opened, called_us, refused_after
    if ssl is not None:
        raise OSError("TLS is not simulated in virtual time")
    _opened += 1
    stream = _streams[_opened] = Stream(_opened)
    at, called_us = time.site_us() if called_us is None else called_us, None
    _say('{"call":[%d,"%s",%d]}' % (_opened, host, port), at)
    refused_after = 0
    try:
        await stream.opened()
    except BaseException:
        refused_after = time.site_us() - at
        stream.close()
        raise
    return stream, stream


def hear(number, state, data=""):
    """What the radio brings; for a connection that was hung up it comes too late."""
    stream = _streams.get(number)
    if stream:
        stream.hear(state, data)


def _say(text, at=None):
    at = time.site_us() if at is None else at
    wire.tell(text, at)
    wire.restrain(at + round_trip_us)
