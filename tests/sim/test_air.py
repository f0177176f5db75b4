"""Bad radio bites: packets are late or lost, connections forgotten; bytes keep their order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sim.air import Air

PAUSE_S = 0.3


@asynccontextmanager
async def wire() -> AsyncIterator[tuple[Air, Callable[[bytes], Awaitable[float]]]]:
    """An echo behind the air, and a function that says how long an echo took."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    air = Air("127.0.0.1", server.sockets[0].getsockname()[1])
    await air.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", air.port)

    async def echo(data: bytes) -> float:
        began = asyncio.get_running_loop().time()
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        return asyncio.get_running_loop().time() - began

    try:
        yield air, echo
    finally:
        writer.close()
        await air.stop()
        server.close()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


def test_a_late_radio_delays_each_way_and_then_no_more() -> None:
    asyncio.run(_late())


async def _late() -> None:
    async with wire() as (air, echo):
        await echo(b"before")
        air.weather(0.0, PAUSE_S)
        assert await echo(b"late") >= 2 * PAUSE_S
        air.weather(0.0, 0.0)
        assert await echo(b"again") < 2 * PAUSE_S


def test_lost_packets_come_later_and_in_order() -> None:
    asyncio.run(_lost())


async def _lost() -> None:
    async with wire() as (air, echo):
        air.weather(0.5, 0.0)
        took = [await echo(b"%d" % i) for i in range(12)]
        assert max(took) >= 0.2


def test_a_half_open_connection_is_silent_and_a_new_one_works() -> None:
    asyncio.run(_forgotten())


async def _forgotten() -> None:
    async with wire() as (air, echo):
        await echo(b"before")
        air.half_open()
        try:
            await asyncio.wait_for(echo(b"into the void"), PAUSE_S)
        except TimeoutError:
            pass
        else:
            raise AssertionError("something came back")
        reader, writer = await asyncio.open_connection("127.0.0.1", air.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()
