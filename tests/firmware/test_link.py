"""The link, against a real broker that goes away, refuses and forgets."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk_unit import mqtt, mqtt_packets
from host_bridge.contract import topics
from host_bridge.contract.facts import MAX_MESSAGE
from host_bridge.contract.messages import Guidance, State
from tests.firmware.desk import until
from tests.firmware.host import SITE, UNIT, Host
from tests.firmware.link_bench import Bench
from tests.services import Mosquitto, free_port


async def test_facts_leave_the_journal_only_when_the_host_acknowledges(
    mosquitto: Mosquitto, host: Host
) -> None:
    host.answering = False
    async with Bench(mosquitto.port).running() as bench:
        bench.facts.seat(True)
        bench.facts.press()
        await until(lambda: len(host.facts) == 2)
        await until(lambda: ("sent", "button", 3, 1) in bench.noted)
        assert bench.waiting() == 2
        host.acknowledge(3, "button", (1, 1))
        await until(lambda: bench.button.journal.waiting == 0)
        assert ("stored", "button", 3, 1) in bench.noted
        assert bench.ordinary.journal.waiting == 1


async def test_unacknowledged_facts_are_sent_again_after_ten_seconds(
    mosquitto: Mosquitto, host: Host
) -> None:
    host.answering = False
    async with Bench(mosquitto.port, speed=20).running() as bench:
        bench.facts.seat(True)
        begun = bench.uptime.now()
        await until(lambda: host.heard_keys() == [(3, 1), (3, 1)])
        assert bench.uptime.now() - begun >= 10_000
        ages = [fact.age for fact in host.facts]
        assert ages[1] - ages[0] >= 9_900
        host.answering = True
        await until(lambda: bench.waiting() == 0)


async def test_spans_trim_up_to_the_first_fact_that_the_host_misses(
    mosquitto: Mosquitto, host: Host
) -> None:
    host.answering = False
    async with Bench(mosquitto.port).running() as bench:
        for _ in range(9):
            bench.facts.seat(True)
        await until(lambda: len(set(host.heard_keys())) == 9)
        host.acknowledge(3, "ordinary", (1, 3), (5, 9))
        await until(lambda: bench.waiting() == 6)
        host.acknowledge(3, "ordinary", (1, 9))
        await until(lambda: bench.waiting() == 0)


async def test_killed_broker_loses_nothing(mosquitto: Mosquitto, host: Host) -> None:
    async with Bench(mosquitto.port, speed=20).running() as bench:
        bench.facts.seat(True)
        await until(lambda: bench.waiting() == 0)
        await asyncio.to_thread(mosquitto.kill)
        bench.facts.seat(False)
        bench.facts.press()
        await until(lambda: not bench.link.connected)
        assert bench.waiting() == 2
        bench.facts.seat(True)
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: bench.waiting() == 0)
        assert set(host.heard_keys()) == {(3, 1), (3, 2), (3, 3)}
        assert host.heard_keys("button")[0] == (3, 1)
    assert any("facts are kept" in line for line in bench.log)


async def test_what_a_dying_broker_held_is_sent_again(mosquitto: Mosquitto, host: Host) -> None:
    host.answering = False
    async with Bench(mosquitto.port, speed=20).running() as bench:
        bench.facts.press()
        await until(lambda: ("sent", "button", 3, 1) in bench.noted)
        host.facts.clear()
        await asyncio.to_thread(mosquitto.kill)
        host.answering = True
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: bench.waiting() == 0)
        assert host.heard_keys("button")


async def test_press_does_not_wait_behind_a_backlog(mosquitto: Mosquitto, host: Host) -> None:
    bench = Bench(mosquitto.port)
    for _ in range(3000):
        bench.facts.seat(True)
    async with bench.running():
        await until(lambda: len(host.heard_keys()) > 200)
        bench.facts.press()
        before = len(host.heard_keys())
        await until(lambda: bool(host.heard_keys("button")))
        order = [type(fact).__name__ for fact in host.facts].index("Press")
        assert order - before < 300, "the window may be ahead of it, the backlog not"
        await until(lambda: bench.waiting() == 0, 60)
    assert set(host.heard_keys()) == {(3, seq) for seq in range(1, 3001)}


async def test_backlog_goes_in_batches_and_live_facts_singly(
    mosquitto: Mosquitto, host: Host
) -> None:
    bench = Bench(mosquitto.port)
    for _ in range(30):
        bench.facts.seat(True)
    async with bench.running():
        await until(lambda: bench.waiting() == 0)
        host.payloads.clear()
        bench.facts.seat(False)
        await until(lambda: bench.waiting() == 0)
        facts = [payload for payload in host.payloads if b'"type"' in payload]
        assert len(facts) == 1
        assert facts[0].startswith(b"{")


async def test_unit_that_vanishes_leaves_its_last_will(mosquitto: Mosquitto, host: Host) -> None:
    async with Bench(mosquitto.port).running():
        await until(lambda: host.states == [State(unit=UNIT, online=True)])
    await until(lambda: host.states[-1] == State(unit=UNIT, online=False))


async def test_retained_guidance_is_heard_after_connecting(
    mosquitto: Mosquitto, host: Host
) -> None:
    host.guide(Guidance(seat="blocked", version=4))
    async with Bench(mosquitto.port).running() as bench:
        await until(lambda: ("guidance", "blocked") in bench.noted)


async def test_bad_messages_are_counted_and_do_no_harm(mosquitto: Mosquitto, host: Host) -> None:
    async with Bench(mosquitto.port).running() as bench:
        await until(lambda: bench.link.connected)
        for word in ("ack", "verdict", "guidance", "nonsense"):
            for payload in (b"", b"\xff\x00", b"{}", b"[" * 900, b"7" * 900):
                host.tell(word, payload)
        host.tell("ack", b"x" * 100_000)  # longer than the unit's buffer
        await until(lambda: bench.link.rejected == 20)
        bench.facts.seat(True)
        await until(lambda: bench.waiting() == 0)
        assert not bench.log


async def test_refusal_of_the_broker_is_reported(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    passwords.chmod(0o600)
    broker = Mosquitto(tmp_path / "m", extra=f"password_file {passwords}")
    config = tmp_path / "m/mosquitto.conf"
    config.write_text(config.read_text().replace("allow_anonymous true", "allow_anonymous false"))
    broker.start()
    try:
        async with Bench(broker.port, username="a1", password="wrong").running() as bench:
            await until(lambda: bool(bench.log))
        assert "not authorised" in bench.log[0] or "password" in bench.log[0]
        assert "wrong" not in bench.log[0]
    finally:
        broker.stop()


async def test_nobody_listening_is_reported_and_tried_again() -> None:
    async with Bench(free_port()).running() as bench:
        await until(lambda: len(bench.log) >= 2)
        assert not bench.link.connected


async def test_lost_wifi_ends_the_connection_and_its_return_brings_it_back(
    mosquitto: Mosquitto, host: Host
) -> None:
    async with Bench(mosquitto.port).running() as bench:
        await until(lambda: bench.link.connected)
        bench.wifi.present = False
        await until(lambda: not bench.link.connected)
        bench.facts.press()
        bench.wifi.present = True
        await until(lambda: bench.waiting() == 0)


async def test_no_link_for_90_s_is_unprotected(mosquitto: Mosquitto, host: Host) -> None:
    async with Bench(mosquitto.port, speed=60).running() as bench:
        bench.wifi.present = False
        await until(lambda: not bench.link.connected and bench.uptime.now() > 60_000)
        await until(lambda: bench.link.unprotected)
        assert bench.uptime.now() >= 90_000
        bench.wifi.present = True
        await until(lambda: not bench.link.unprotected)


async def test_press_that_no_host_acknowledges_for_90_s_is_unprotected(
    mosquitto: Mosquitto, host: Host
) -> None:
    host.answering = False
    async with Bench(mosquitto.port, speed=60).running() as bench:
        await until(lambda: bench.link.connected)
        bench.facts.press()
        begun = bench.uptime.now()
        await until(lambda: bench.link.unprotected)
        assert bench.uptime.now() - begun >= 90_000
        host.answering = True
        await until(lambda: not bench.link.unprotected)


@contextlib.asynccontextmanager
async def peer(*answers: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Something that is no broker: sends the next answer whenever it hears anything."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = list(answers)
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                heard.append(data)
                if left:
                    writer.write(left.pop(0))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def test_session_present_is_accepted() -> None:
    async with (
        peer(b"\x20\x02\x01\x00", b"\x90\x03\x00\x01\x01") as (port, heard),
        Bench(port).running() as bench,
    ):
        await until(lambda: bench.link.connected)
        await until(lambda: len(heard) >= 3)


async def test_subscription_that_is_refused_is_reported() -> None:
    async with (
        peer(b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x80") as (port, _),
        Bench(port).running() as bench,
    ):
        await until(lambda: bool(bench.log))
        assert "may not subscribe" in bench.log[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"\x20\x02\x00\x05",
        b"\x20\x05\x00\x00\x00\x00\x00",
        b"\x00\x00",
        b"\xff\xff\xff\xff\xff\xff",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\xff\xff\xff\x7f",
        b"\x34\x05\x00\x01a\x00\x01",
    ],
)
async def test_peer_that_is_no_broker_is_left_and_tried_again(answer: bytes) -> None:
    async with peer(answer) as (port, heard), Bench(port).running() as bench:
        await until(lambda: len(bench.log) >= 2)
        assert not bench.link.connected
        assert heard


async def test_half_open_connection_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "_QUIET_MS", 300)
    monkeypatch.setattr(mqtt, "_PATIENCE_MS", 300)
    async with (
        peer(b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01") as (port, heard),
        Bench(port).running() as bench,
    ):
        await until(lambda: bool(bench.log))
        assert "does not answer" in bench.log[0]
        assert b"\xc0\x00" in b"".join(heard)


async def test_quiet_connection_is_kept_alive(
    mosquitto: Mosquitto, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_QUIET_MS", 500)
    monkeypatch.setattr(mqtt, "_PATIENCE_MS", 500)
    async with Bench(mosquitto.port).running() as bench:
        await until(lambda: bench.link.connected)
        await asyncio.sleep(4)
        assert bench.link.connected
        assert not bench.log


async def test_at_most_eight_messages_are_in_flight() -> None:
    async with (
        peer(b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01") as (port, heard),
        Bench(port).running() as bench,
    ):
        await until(lambda: bench.link.connected)
        for _ in range(60):
            bench.facts.seat(True)
            bench.facts.press()
            await asyncio.sleep(0.005)
        received = b"".join(heard)
        assert received.count(f"chequer/v1/{SITE}/{UNIT}/".encode()) - 2 <= mqtt.WINDOW


async def test_state_is_published_at_least_every_30_s_and_at_once_when_it_changes(
    mosquitto: Mosquitto, host: Host
) -> None:
    async with Bench(mosquitto.port, speed=20).running() as bench:
        await until(lambda: len(host.states) == 1)
        began = time.monotonic()
        await until(lambda: len(host.states) == 4)
        assert 20 * (time.monotonic() - began) <= 3 * 42
        bench.link.touch()
        began = time.monotonic()
        await until(lambda: len(host.states) == 5)
        assert 20 * (time.monotonic() - began) < 28, "at once, not with the next 30 s"


def test_the_longest_message_of_the_contract_on_the_longest_topic_is_read_whole() -> None:
    word = max(topics.DOWN_WORDS, key=len)
    site, unit = "s" * 32, "u" * 32
    assert topics.parse(topics.down(site, unit, word))
    assert not topics.parse(topics.down(site + "s", unit, word))
    assert not topics.parse(topics.down(site, unit + "u", word))
    packet = mqtt_packets.publish(topics.down(site, unit, word), b"x" * MAX_MESSAGE, 1)
    found = []
    mqtt_packets.Parser(lambda _first, body, cut: found.append((len(body), cut))).feed(packet)
    assert found == [(len(packet) - 3, False)]
