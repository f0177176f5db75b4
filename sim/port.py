"""The control port of one simulated unit: JSON lines over TCP, on 127.0.0.1 only."""

import asyncio
import contextlib
import json
from typing import Any

from sim.commands import CommandError, obey, parse
from sim.unit import SimUnit

_LONGEST = 4096


class ControlPort:
    """Serves commands (`sim.commands`): one reply line for each command line, in order.

    After {"watch":{}} the connection carries events too; a reply is told from them by its "ok",
    "error" or by what was asked for.
    """

    def __init__(self, unit: SimUnit) -> None:
        self._unit = unit
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, port: int = 0) -> None:
        """Listen; 0 takes any free port.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._session, "127.0.0.1", port, limit=_LONGEST)

    async def stop(self) -> None:
        """Close all connections."""
        if self._server:
            self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._sessions.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.ExitStack() as stack:
            streaming: asyncio.Task[None] | None = None
            while True:
                try:
                    line = await reader.readline()
                except ValueError:
                    await _say(writer, {"error": f"a line has at most {_LONGEST} bytes; closing"})
                    return
                if not line:
                    return
                try:
                    command = parse(line)
                    reply = await obey(self._unit, command)
                except CommandError as error:
                    await _say(writer, {"error": str(error)})
                    continue
                await _say(writer, reply)
                if command.watch and streaming is None:
                    queue = stack.enter_context(self._unit.watch())
                    streaming = asyncio.create_task(_stream(queue, writer))
                    stack.callback(streaming.cancel)


async def _stream(queue: asyncio.Queue[dict[str, Any]], writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await _say(writer, {"event": await queue.get()})


async def _say(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
    await writer.drain()
