"""The faults. Each is handed a ground under load, and returns when its cause is gone."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack

import msgspec
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from host_bridge.faultpoint import POINTS
from tests.faults.clock import DAY_S
from tests.faults.ground import Ground, Kind
from tests.faults.rubbish import pour

BOTH: tuple[Kind, ...] = ("sqlite", "postgresql")
TIMES = 3
"""A relay dies when it reaches its point for so many times."""

FIRST = "relay-1"
"""The relay that it happens to."""

YEAR_S = 365 * DAY_S


class Fault(msgspec.Struct, frozen=True):
    """A fault: what happens, on which databases it can, and what must be prepared for it."""

    name: str
    act: Callable[[Ground], None]
    kinds: tuple[Kind, ...] = BOTH
    point: str = ""
    """The fault point at which the first relay dies or hangs."""
    hangs: bool = False
    small_disk: bool = False


def relay_dies(ground: Ground) -> None:
    """At its fault point; whoever supervises it starts it again."""
    assert ground.relays[FIRST].wait(60) == -9, "the relay did not come to its fault point"
    ground.start(FIRST)


def relay_hangs(ground: Ground) -> None:
    """For three seconds, anywhere."""
    ground.hang(FIRST, 3)


def relay_hangs_in_transaction(ground: Ground) -> None:
    """With what it has locked, for longer than others wait for a lock."""
    ground.wait_for_hang(FIRST)
    ground.hang(FIRST, 12)


def broker_dies(ground: Ground) -> None:
    """With everything that it held."""
    ground.broker.kill()
    time.sleep(0.5)
    ground.broker.start()


def broker_hangs(ground: Ground) -> None:
    """Its sockets stay open, nothing comes out of them."""
    with ground.broker.hung():
        time.sleep(3)


def server_dies(ground: Ground) -> None:
    """Its disk stays."""
    assert ground.server is not None
    ground.server.kill()
    time.sleep(0.5)
    ground.server.start()


def server_hangs(ground: Ground) -> None:
    """For longer than a call may take."""
    assert ground.server is not None
    with ground.server.hung():
        time.sleep(12)


def everything_dies(ground: Ground) -> None:
    """The power fails."""
    for name in ground.names:
        ground.kill(name)
    ground.broker.kill()
    if ground.server is not None:
        ground.server.kill()
        ground.server.start()
    ground.broker.start()
    for name in ground.names:
        ground.start(name)


def disk_fills_up(ground: Ground) -> None:
    """Not one byte more for three seconds; then somebody tidies up."""
    assert ground.disk is not None
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        ground.disk.fill()
        time.sleep(0.1)
    ground.disk.free()


def file_is_locked(ground: Ground) -> None:
    """By a program that holds SQLite's lock for longer than we wait for it."""
    intruder = sqlite3.connect(ground.url.removeprefix("sqlite:///"), isolation_level=None)
    intruder.execute("PRAGMA busy_timeout = 5000")
    intruder.execute("BEGIN IMMEDIATE")
    time.sleep(7)
    intruder.execute("ROLLBACK")
    intruder.close()


def tables_are_locked(ground: Ground) -> None:
    """By a program that holds them for longer than a statement may take."""
    with ground.connect() as intruder, intruder.transaction():
        intruder.execute("LOCK TABLE spans IN ACCESS EXCLUSIVE MODE")
        time.sleep(10)


def connections_run_out(ground: Ground) -> None:
    """Others have all connections that the server offers, and the relays lose theirs."""
    with ground.connect() as killer, ExitStack() as taken:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                taken.enter_context(ground.connect())
            except psycopg.OperationalError:
                killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'chequer'"
                )
                time.sleep(0.02)


def subscriber_is_slow(ground: Ground) -> None:
    """It asks for everything and reads nothing."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="slow", clean_session=False)
    client.connect("127.0.0.1", ground.broker.port)
    client.subscribe("chequer/v1/#", 1)
    client.loop(0.2)
    time.sleep(4)
    client.disconnect()
    # Its session would stay, and the broker would keep everything for it for ever.
    again = paho.Client(CallbackAPIVersion.VERSION2, client_id="slow", clean_session=True)
    again.connect("127.0.0.1", ground.broker.port)
    again.loop(0.2)
    again.disconnect()


def clock_jumps(ground: Ground) -> None:
    """A day ahead, a day back, to the epoch (an empty battery), beyond 2100, and right again."""
    for seconds in (DAY_S, -DAY_S, -time.time(), 100 * YEAR_S, 0):
        ground.clock.jump(seconds)
        time.sleep(0.8)


def rubbish_comes(ground: Ground) -> None:
    """Every kind of bad input, as fast as the broker takes it."""
    pour(ground.broker.port)


FAULTS = (
    *(Fault(f"relay dies: {point}", relay_dies, point=point) for point in POINTS),
    Fault("relay hangs, 3 s", relay_hangs),
    Fault(
        "relay hangs within its transaction, 12 s",
        relay_hangs_in_transaction,
        point="store.in-transaction",
        hangs=True,
    ),
    Fault("broker dies", broker_dies),
    Fault("broker hangs, 3 s", broker_hangs),
    Fault("server dies", server_dies, kinds=("postgresql",)),
    Fault("server hangs, 12 s", server_hangs, kinds=("postgresql",)),
    Fault("everything dies at once", everything_dies),
    Fault("disk full, 3 s", disk_fills_up, small_disk=True),
    Fault("database locked by another, 7 s", file_is_locked, kinds=("sqlite",)),
    Fault("tables locked by another, 10 s", tables_are_locked, kinds=("postgresql",)),
    Fault("no connection to be had, 3 s", connections_run_out, kinds=("postgresql",)),
    Fault("slow subscriber, 4 s", subscriber_is_slow),
    Fault("clock jumps", clock_jumps),
    Fault("bad input at speed", rubbish_comes),
)
"""All of them, in the order of the table."""
