"""The link through a proxy that does what networks do, with a real broker behind it."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from desk_unit import mqtt
from desk_unit.backoff import Backoff
from tests.firmware.desk import until
from tests.firmware.host import Host
from tests.firmware.link_bench import Bench
from tests.proxy import Proxy
from tests.services import Mosquitto


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The link notices silence after a second or two instead of 27."""
    monkeypatch.setattr(mqtt, "_QUIET_MS", 500)
    monkeypatch.setattr(mqtt, "_PATIENCE_MS", 500)


@contextlib.asynccontextmanager
async def connected(mosquitto: Mosquitto) -> AsyncIterator[tuple[Proxy, Bench]]:
    """A link that reaches the broker through a proxy, and is connected."""
    async with Proxy(mosquitto.port).running() as proxy, Bench(proxy.port).running() as bench:
        await until(lambda: bench.link.connected)
        yield proxy, bench


def numbers(host: Host) -> list[int]:
    return sorted({seq for _, seq in host.heard_keys()})


async def test_slow_network_delivers_everything_once_and_in_flight_together(
    mosquitto: Mosquitto, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    flying: list[int] = []
    publish = mqtt.Connection.publish

    async def counted(connection: mqtt.Connection, *message: Any, **how: Any) -> None:
        await publish(connection, *message, **how)
        flying.append(mqtt.WINDOW - connection.room)

    monkeypatch.setattr(mqtt.Connection, "publish", counted)
    async with connected(mosquitto) as (proxy, bench):
        proxy.delay = 0.15
        for _ in range(40):
            bench.facts.seat(True)
            await asyncio.sleep(0.01)
        await until(lambda: bench.waiting() == 0)
        assert max(flying) == mqtt.WINDOW, "one at a time would take 40 round trips"
        assert numbers(host) == list(range(1, 41))
        assert not bench.log


async def test_throttled_network_delivers_a_press_before_a_backlog(
    mosquitto: Mosquitto, host: Host
) -> None:
    async with connected(mosquitto) as (proxy, bench):
        proxy.rate = 20_000
        for _ in range(300):
            bench.facts.seat(True)
        bench.facts.press()
        await until(lambda: bool(host.heard_keys("button")))
        assert bench.waiting() > 100
        await until(lambda: bench.waiting() == 0, 20)
        assert numbers(host) == list(range(1, 301))


async def test_stalled_connection_is_noticed_and_replaced(
    mosquitto: Mosquitto, host: Host, impatient: None
) -> None:
    async with connected(mosquitto) as (proxy, bench):
        proxy.stall()
        bench.facts.press()
        bench.facts.seat(True)
        await until(lambda: not bench.link.connected)
        assert "does not answer" in bench.link.fault
        assert bench.waiting() == 2
        proxy.resume()
        await until(lambda: bench.waiting() == 0)
        assert bench.link.fault.startswith("connected again after")


async def test_connection_that_is_cut_loses_nothing(mosquitto: Mosquitto, host: Host) -> None:
    async with connected(mosquitto) as (proxy, bench):
        for round_ in range(5):
            for _ in range(20):
                bench.facts.seat(True)
            await asyncio.sleep(0.02 * round_)
            proxy.cut()
            await until(lambda: not bench.link.connected)
            await until(lambda: bench.link.connected)
        await until(lambda: bench.waiting() == 0)
        assert numbers(host) == list(range(1, 101))


@pytest.mark.parametrize("way", ["up", "down"])
async def test_packets_that_are_cut_off_anywhere_lose_nothing(
    mosquitto: Mosquitto, host: Host, way: str
) -> None:
    async with connected(mosquitto) as (proxy, bench):
        for cut in (1, 2, 3, 17, 60, 61, 200):
            proxy.truncate(way, cut)
            for _ in range(5):
                bench.facts.seat(True)
            await until(lambda: not bench.link.connected)
            await until(lambda: bench.link.connected)
        await until(lambda: bench.waiting() == 0)
        assert numbers(host) == list(range(1, 36))


async def test_garbage_from_the_broker_costs_a_connection_and_nothing_else(
    mosquitto: Mosquitto, host: Host
) -> None:
    async with connected(mosquitto) as (proxy, bench):
        seed = random.Random(5)
        for _ in range(6):
            bench.facts.seat(True)
            proxy.inject(b"\x00" + seed.randbytes(100))
            await until(lambda: not bench.link.connected)
            await until(lambda: bench.link.connected)
        await until(lambda: bench.waiting() == 0)
        assert numbers(host) == list(range(1, 7))
        assert bench.noted.count(("stored", "ordinary", 3, 6)) >= 1


@pytest.mark.parametrize("present", [0, 1])
async def test_link_works_whether_the_broker_says_session_present_or_not(
    mosquitto: Mosquitto, host: Host, present: int
) -> None:
    proxy = Proxy(mosquitto.port)

    def connack(data: bytes) -> bytes:
        return bytes((0x20, 2, present)) + data[3:] if data[:2] == b"\x20\x02" else data

    proxy.change_down = connack
    async with proxy.running(), Bench(proxy.port).running() as bench:
        bench.facts.seat(True)
        await until(lambda: bench.waiting() == 0)
        proxy.cut()
        await until(lambda: not bench.link.connected)
        bench.facts.seat(False)
        await until(lambda: bench.waiting() == 0)
        assert numbers(host) == [1, 2]


async def test_name_is_resolved_anew_for_every_connection(mosquitto: Mosquitto, host: Host) -> None:
    """A broker that moves keeps its name; the unit must not hold on to the old address."""
    async with Proxy(mosquitto.port).running() as old, Proxy(mosquitto.port).running() as new:
        there = [old.port]
        bench = Bench(1, host="broker.example")
        bench.lookup = lambda *_: ("127.0.0.1", there[0])
        async with bench.running():
            await until(lambda: bench.link.connected)
            assert (len(old.accepted), len(new.accepted)) == (1, 0)
            old.accepting = False
            there[0] = new.port
            old.cut()
            await until(lambda: len(new.accepted) == 1 and bench.link.connected)


async def test_name_that_can_not_be_resolved_is_reported_and_tried_again(
    mosquitto: Mosquitto, host: Host
) -> None:
    bench = Bench(mosquitto.port, host="broker.example")
    answers = [OSError(-2, "no such name")]

    def resolve(name: str, port: int) -> tuple[str, int]:
        if answers:
            raise answers.pop()
        return "127.0.0.1", port

    bench.lookup = resolve
    async with bench.running():
        await until(lambda: bool(bench.log))
        assert "the name broker.example can't be resolved" in bench.log[0]
        await until(lambda: bench.link.connected)


def test_all_of_a_units_absence_is_jitter_but_a_tenth_of_a_second() -> None:
    """So with the attempt that follows, a unit is back within 2 s and its jitter.

    The first limit is the 2 s that 500 units share after a short restart; an outage that was
    longer has doubled it, up to 10 s.
    """
    least, most = Backoff(lambda: 0), Backoff(lambda: 0xFFFF)
    assert [least.next() for _ in range(8)] == [100] * 8
    limits = [2_000, 4_000, 8_000, 10_000, 10_000, 10_000]
    assert [most.next() for _ in limits] == [limit - 1 for limit in limits]
    most.reset()
    assert most.next() == 1_999


async def test_a_units_first_attempt_on_a_restarted_broker_succeeds(
    mosquitto: Mosquitto, host: Host
) -> None:
    """The bench draws no jitter, so an attempt comes every tenth of a second."""
    async with Bench(mosquitto.port).running() as bench:
        await until(lambda: bench.link.connected)
        for how in (mosquitto.stop, mosquitto.kill):
            await asyncio.to_thread(how)
            await until(lambda: not bench.link.connected)
            bench.facts.press()
            await asyncio.sleep(1)
            await asyncio.to_thread(mosquitto.start)
            refused = len(bench.log)
            await until(lambda: bench.link.connected)
            # One attempt may have been under way while the broker started; the next one is good.
            assert len(bench.log) <= refused + 1, bench.log[refused:]
            # The host may subscribe later than the unit: then the press comes again after 10 s.
            await until(lambda: bench.waiting() == 0, 20)


async def test_wifi_that_is_gone_for_a_while_is_joined_again(
    mosquitto: Mosquitto, host: Host
) -> None:
    async with connected(mosquitto) as (_, bench):
        bench.wifi.present = False
        await until(lambda: not bench.link.connected)
        await until(lambda: "no access point" in bench.link.fault)
        bench.facts.press()
        bench.wifi.present = True
        await until(lambda: bench.waiting() == 0)


def fleet(units: int, away_s: float, seed: int) -> list[float]:
    """When, in seconds after the broker is back, each unit of a fleet connects.

    All lose the broker at the same moment, which is the worst case. A refused attempt takes no
    time. Every unit has its own random numbers, as the ESP32's hardware generator gives them.
    """
    back = []
    for unit in range(units):
        draw = random.Random(seed * 10_000 + unit)
        backoff = Backoff(lambda: draw.getrandbits(16))  # noqa: B023 (used before the next draw)
        now = backoff.next() / 1000
        while now < away_s:
            now += backoff.next() / 1000
        back.append(now - away_s)
    return back


def busiest(times: list[float], window: float = 0.1) -> int:
    """Most connections in any window of that many seconds."""
    times = sorted(times)
    return max(sum(1 for t in times if start <= t < start + window) for start in times)


@pytest.mark.parametrize("away_s", [0, 1, 5, 30, 600])
def test_fleet_of_500_comes_back_spread_out_and_within_the_jitter(away_s: float) -> None:
    for seed in range(5):
        times = fleet(500, away_s, seed)
        assert busiest(times) <= 60, "two seconds of jitter share 500 units: 26 expected"
        assert max(times) <= 10


async def test_fleet_really_connects_spread_out(mosquitto: Mosquitto) -> None:
    """Forty links on one broker that is cut off and comes back."""
    async with Proxy(mosquitto.port).running() as proxy, contextlib.AsyncExitStack() as stack:
        benches = []
        for unit in range(40):
            bench = Bench(proxy.port, unit=f"u{unit}", random=_random(unit))
            benches.append(await stack.enter_async_context(bench.running()))
        await until(lambda: all(bench.link.connected for bench in benches))
        proxy.accepted.clear()
        proxy.cut()
        await until(lambda: not any(bench.link.connected for bench in benches))
        await until(lambda: all(bench.link.connected for bench in benches))
        assert busiest(proxy.accepted) <= 12
        assert proxy.accepted[-1] - proxy.accepted[0] > 1


def _random(seed: int) -> Callable[[], int]:
    draw = random.Random(seed)
    return lambda: draw.getrandbits(16)


async def test_ticks_that_wrap_in_mid_connection_disturb_nothing(
    mosquitto: Mosquitto, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ESP32's milliseconds wrap every 12.4 days."""
    period = 1 << 30
    begin = time.monotonic_ns() // 1_000_000

    def ticks() -> int:
        return (period - 3_000 + time.monotonic_ns() // 1_000_000 - begin) % period

    monkeypatch.setattr(mqtt, "ticks_ms", ticks)
    monkeypatch.setattr(mqtt, "_QUIET_MS", 500)
    async with Bench(mosquitto.port).running() as bench:
        await until(lambda: bench.link.connected)
        while ticks() > period // 2 or ticks() < 2_000:
            bench.facts.seat(True)
            await asyncio.sleep(0.1)
        await until(lambda: bench.waiting() == 0)
        assert not bench.log


async def test_facts_of_an_uptime_beyond_twelve_days_keep_their_age(
    mosquitto: Mosquitto, host: Host, tmp_path: Path
) -> None:
    async with Bench(mosquitto.port, up=(1 << 30) + 7).running() as bench:
        bench.facts.seat(True)
        await until(lambda: bench.waiting() == 0)
    (fact,) = host.facts
    assert fact.up >= 1 << 30
    assert fact.age is not None
    assert 0 <= fact.age < 8_000
