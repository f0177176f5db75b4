"""The air between one unit and the broker: a TCP relay that can fall silent, as Wi-Fi does.

While it is lost no byte passes in either direction and nobody is told; connections live on and
go on where they were when it comes back, unless one side has given up meanwhile. It can also lose
packets, which come later for that, be slow, and forget connections without telling anybody.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable

_CHUNK = 4096
_AGAIN_S = 0.2  # until TCP first sends a lost packet again (RFC 6298, 2.4, as Linux has it)
_MOST_AGAIN = 6

Tap = Callable[[int, str, bytes], None]
"""Told of bytes that pass: the connection's number, "up" (to the broker) or "down", the bytes.

Empty bytes say that this side has closed.
"""


class Air:
    """Listens on a port of 127.0.0.1 of its own and forwards to the broker."""

    def __init__(self, host: str, port: int, tap: Tap | None = None) -> None:
        """Nothing yet; `tap` is told what passes (see `Tap`)."""
        self._tap = tap
        self._connections = 0
        self._host = host
        self._port = port
        self._clear = asyncio.Event()
        self._clear.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._orphans: set[asyncio.Task[None]] = set()
        self._forgotten: set[int] = set()
        self._loss = self._delay = 0.0
        self._dice = random.Random("air")  # noqa: S311 (weather, no secrets)

    @property
    def port(self) -> int:
        """Where the unit finds its broker."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def present(self) -> bool:
        """Whether bytes pass."""
        return self._clear.is_set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Close everything."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lose(self) -> None:
        """Fall silent."""
        self._clear.clear()

    def restore(self) -> None:
        """Let bytes pass again."""
        self._clear.set()

    def weather(self, loss: float, delay: float) -> None:
        """Lose so much of 1 of what comes from now on; let all come so many seconds later."""
        self._loss, self._delay = loss, delay

    def half_open(self) -> None:
        """Forget the connections that there are: they carry nothing more, and nobody is told."""
        self._forgotten |= set(range(1, self._connections + 1))

    def unit_is_dead(self) -> None:
        """Its power is gone: the broker hears no goodbye and finds out by its keep-alive."""
        self._orphans |= self._tasks
        if not self.present:  # what it sent into the silence will never be sent again
            self.half_open()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._forward(reader, writer)
        except (OSError, asyncio.CancelledError):  # the unit sees its connection close
            pass
        finally:
            self._tasks.discard(task)
            self._orphans.discard(task)
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._clear.wait()
        up_reader, up_writer = await asyncio.open_connection(self._host, self._port)
        self._connections += 1
        number = self._connections
        up = asyncio.create_task(self._pump(reader, up_writer, number, "up"))
        down = asyncio.create_task(self._pump(up_reader, writer, number, "down"))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            await self._clear.wait()
            if number in self._forgotten:  # neither side hears that the other has gone
                await asyncio.wait((up, down))
            if asyncio.current_task() in self._orphans:
                down.cancel()
                await asyncio.wait((down,))
                while await up_reader.read(_CHUNK):
                    pass
        finally:
            up.cancel()
            down.cancel()
            up_writer.close()

    async def _arrive(self) -> None:
        """Wait as long as a packet takes; TCP keeps the order, so what follows waits too."""
        if self._delay:
            await asyncio.sleep(self._delay)
        for attempt in range(_MOST_AGAIN):
            if self._dice.random() >= self._loss:
                return
            await asyncio.sleep(_AGAIN_S * 2**attempt)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, way: str
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._arrive()
                await self._clear.wait()
                if number in self._forgotten:
                    continue
                if self._tap:
                    self._tap(number, way, data)
                writer.write(data)
                await writer.drain()
        if self._tap:
            self._tap(number, way, b"")
