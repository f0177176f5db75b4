"""Time over a real socket, and in the whole firmware."""

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from desk_unit.clock import SNTP, Uptime, WallClock
from desk_unit.sntp import NoTime, Sntp
from host_bridge.contract.facts import Boot
from tests.firmware.desk import Desk, end, until
from tests.firmware.host import Host
from tests.services import Mosquitto

OFFSET_1900 = 2_208_988_800


class Server:
    """A time server on a free port of 127.0.0.1; `lie` is added to the time, in seconds."""

    def __init__(self) -> None:
        self.lie = 0.0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(100)
            if data == b"end":
                return
            now = time.time() + self.lie + OFFSET_1900
            stamp = struct.pack(">II", int(now), int(now % 1 * (1 << 32)))
            self._socket.sendto(b"\x24\x01\x06\xec" + bytes(20) + data[40:48] + stamp * 2, peer)

    def open_udp(self, _server: str, _port: int) -> socket.socket:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.connect(("127.0.0.1", self.port))
        return udp


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def client(open_udp: Callable[[str, int], socket.socket]) -> tuple[Sntp, WallClock]:
    uptime = Uptime()
    wall = WallClock(uptime)
    return Sntp(
        "127.0.0.1",
        open_udp=open_udp,
        uptime=uptime,
        wall=wall,
        random=lambda: time.monotonic_ns() & 0xFFFF,
        is_up=lambda: True,
    ), wall


async def test_clock_is_right_to_a_few_milliseconds_after_one_answer(server: Server) -> None:
    sntp, wall = client(server.open_udp)
    await sntp.synchronise()
    assert wall.quality == SNTP
    now = time.time_ns() // 1_000_000
    assert abs(wall.at(sntp._uptime.now()) - now) < 50


async def test_server_that_is_not_there_is_reported() -> None:
    def nowhere(_server: str, _port: int) -> socket.socket:
        raise OSError("no such name")

    sntp, _ = client(nowhere)
    with pytest.raises(NoTime, match="can't be reached"):
        await sntp.synchronise()


@contextlib.asynccontextmanager
async def running(desk: Desk):
    unit = desk.start()
    before = asyncio.all_tasks()
    asyncio.create_task(unit.run())  # noqa: RUF006
    try:
        yield unit
    finally:
        await end(asyncio.all_tasks() - before)


async def test_facts_of_a_boot_without_network_arrive_with_their_true_time_after_a_reboot(
    mosquitto: Mosquitto, server: Server
) -> None:
    """Network time, but no broker; then the power fails; then both are there."""
    host = Host(mosquitto.port)
    desk = Desk(mosquitto.port)
    desk.config.sntp = "127.0.0.1"
    desk.open_udp = server.open_udp
    real = desk.resolve
    desk.resolve = _unknown
    begun = time.time_ns() // 1_000_000
    async with running(desk):
        await until(lambda: bool(desk.clock_set))
        await until(lambda: "starts" in desk.nvs._blobs)
    assert abs(desk.clock_set[0] - time.time_ns() // 1_000_000) < 10_000
    desk.resolve = real
    async with running(desk):
        await until(lambda: len({fact.boot for fact in host.facts if isinstance(fact, Boot)}) == 2)
    first = next(fact for fact in host.facts if fact.boot == 1 and isinstance(fact, Boot))
    assert (first.age, first.clock) == (None, "sntp")
    assert first.at is not None
    assert abs(first.at - begun) < 2_000
    host.close()


def _unknown(name: str, _port: int) -> tuple[str, int]:
    raise OSError(f"{name}: no such name")
