"""A TCP proxy on 127.0.0.1 that does to a connection what networks do.

Everything that is set counts for connections that are open and for those to come.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

Change = Callable[[bytes], bytes]


class Proxy:
    """Stands between a client and `port`; `up` is towards the client's server, `down` back."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.delay = 0.0
        """Seconds by which every chunk is late, each way."""
        self.rate = 0.0
        """Bytes a second each way; 0 for as many as there are."""
        self.accepting = True
        """False: a connection is closed as soon as it is made, as a restarting broker does."""
        self.change_up: Change = lambda data: data
        self.change_down: Change = lambda data: data
        """What becomes of each chunk."""
        self.accepted: list[float] = []
        """Monotonic times at which connections were made."""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._left: dict[str, int] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port; in the end all connections are cut."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def stall(self) -> None:
        """Nothing flows any more, and nothing is closed: a half-open connection."""
        self._flowing.clear()

    def resume(self) -> None:
        """What was held back flows again."""
        self._flowing.set()

    def cut(self) -> None:
        """Reset every open connection."""
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()
        self._left.clear()

    def truncate(self, way: str, count: int) -> None:
        """Let `count` more bytes pass (`way` is "up" or "down"), then reset the connections."""
        self._left[way] = count

    def inject(self, data: bytes) -> None:
        """Send bytes to every client as if the server had."""
        for writer in self._writers:
            if writer.get_extra_info("sockname")[1] == self.port:
                writer.write(data)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted.append(time.monotonic())
        if not self.accepting:
            writer.transport.abort()
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, forth}
        for way, source, sink in (("up", reader, forth), ("down", back, writer)):
            task = asyncio.create_task(self._pump(way, source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, way: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(512):
                await asyncio.sleep(self.delay + (len(data) / self.rate if self.rate else 0))
                await self._flowing.wait()
                data = (self.change_up if way == "up" else self.change_down)(data)
                if way in self._left:
                    data = data[: self._left[way]]
                    self._left[way] -= len(data)
                sink.write(data)
                await sink.drain()
                if self._left.get(way) == 0:
                    self.cut()
        sink.close()
        self._writers.discard(sink)
