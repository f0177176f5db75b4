"""A unit on a serial line: the firmware's frames, the gateway, and a real broker."""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_unit import frames, link_serial
from host_bridge.contract.messages import Guidance, Progress, State, Want
from host_bridge.contract.topics import DOWN_WORDS
from host_bridge.settings import Broker
from host_bridge.transport.serial_frames import (
    MAX_BODY,
    Carried,
    Deframer,
    Kind,
    encode,
    pack,
    unpack,
)
from host_bridge.transport.serial_gateway import SerialGateway, open_serial
from tests.firmware.desk import KEY, until
from tests.firmware.host import SITE, UNIT, Host
from tests.firmware.link_bench import Bench
from tests.pseudo_terminal import Cable
from tests.services import Mosquitto

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.close()


@contextlib.contextmanager
def gateway(device: Callable[[], str], port: int, site: str = SITE) -> Iterator[None]:
    stop = threading.Event()
    relay = SerialGateway(lambda: open_serial(device(), 115_200), Broker(port=port), site)
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


class SerialBench(Bench):
    """A link that opens the unit's end of a cable."""

    def __init__(self, device: Callable[[], str]) -> None:
        super().__init__(1, link="serial")
        self._device = device

    async def open_serial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        file = os.fdopen(os.open(self._device(), os.O_RDWR | os.O_NOCTTY), "r+b", 0)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        out = os.fdopen(os.dup(file.fileno()), "wb", 0)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, out)
        return reader, asyncio.StreamWriter(transport, protocol, None, loop)


@contextlib.asynccontextmanager
async def connected(cable: Cable, mosquitto: Mosquitto) -> AsyncIterator[SerialBench]:
    with gateway(lambda: cable.host, mosquitto.port):
        async with SerialBench(lambda: cable.unit).running() as bench:
            await until(lambda: bench.link.connected)
            yield bench


@given(
    st.sampled_from(list(Kind)),
    st.integers(0, 255),
    st.binary(max_size=MAX_BODY),
    st.integers(1, 99),
)
def test_both_sides_read_each_others_frames_however_the_stream_is_cut(
    kind: Kind, number: int, body: bytes, cut: int
) -> None:
    stream = frames.frame(kind, number, body)
    assert stream == encode(kind, number, body)
    assert b"\0" not in stream[1:-1]
    heard: list[tuple[int, int, bytes]] = []
    unit = frames.Deframer(lambda kind, number, body: heard.append((kind, number, bytes(body))))
    line = Deframer()
    found = []
    for start in range(0, len(stream), cut):
        unit.feed(stream[start : start + cut])
        found += line.feed(stream[start : start + cut])
    assert heard == [(kind, number, body)]
    assert [(frame.kind, frame.number, frame.body) for frame in found] == heard


@given(st.binary(max_size=400), st.integers(0, 3000), st.integers(1, 255))
def test_damaged_frame_is_dropped_and_the_next_one_is_whole(
    body: bytes, at: int, flip: int
) -> None:
    good = encode(Kind.PING, 9)
    damaged = bytearray(encode(Kind.MESSAGE, 1, body))
    damaged[1 + at % (len(damaged) - 2)] ^= flip
    line = Deframer()
    assert [frame.number for frame in line.feed(bytes(damaged) + good)] == [9]
    assert line.garbage


@given(st.binary(max_size=60))
def test_any_body_is_a_message_or_none(body: bytes) -> None:
    carried = unpack(body)
    if carried is not None:
        assert pack(carried)[1:] == body[1:]


def test_message_survives_packing() -> None:
    carried = Carried("down/ack", b'{"a":1}', retain=True)
    assert unpack(pack(carried)) == carried


async def test_facts_leave_the_journal_only_when_the_host_acknowledges(
    cable: Cable, mosquitto: Mosquitto, host: Host
) -> None:
    host.answering = False
    async with connected(cable, mosquitto) as bench:
        bench.facts.press()
        bench.facts.seat(True)
        await until(lambda: ("sent", "button", 3, 1) in bench.noted)
        await until(lambda: len(host.facts) == 2)
        assert bench.waiting() == 2
        host.acknowledge(3, "button", (1, 1))
        host.acknowledge(3, "ordinary", (1, 1))
        await until(lambda: bench.waiting() == 0)
        assert host.states[-1] == State(unit=UNIT, online=True)


async def test_nothing_counts_as_sent_before_the_broker_has_it(
    cable: Cable, mosquitto: Mosquitto, host: Host
) -> None:
    async with connected(cable, mosquitto) as bench:
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not bench.link.connected)
        bench.facts.press()
        await until(lambda: "the gateway refuses" in bench.link.fault)
        assert not [note for note in bench.noted if note[0] == "sent"]
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: bench.waiting() == 0, 30)


async def test_verdicts_and_retained_guidance_reach_the_unit(
    cable: Cable, mosquitto: Mosquitto, host: Host
) -> None:
    host.guide(Guidance(seat="blocked", version=4))
    async with connected(cable, mosquitto) as bench:
        await until(lambda: ("guidance", "blocked") in bench.noted)
        bench.facts.tag(bytes(16))
        await until(lambda: bool(host.facts))
        host.judge(host.facts[-1], "own")
        await until(lambda: ("verdict", 3, 1, "own") in bench.noted)


async def test_backlog_of_200_facts_arrives_whole(
    cable: Cable, mosquitto: Mosquitto, host: Host
) -> None:
    async with connected(cable, mosquitto) as bench:
        for _ in range(200):
            bench.facts.seat(True)
        await until(lambda: bench.waiting() == 0, 20)
        assert {seq for _, seq in host.heard_keys()} == set(range(1, 201))


async def test_noise_and_console_text_cost_time_and_lose_nothing(
    cable: Cable, mosquitto: Mosquitto, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_serial, "_RESEND_MS", 300)
    draw = random.Random(3)

    def noisy(data: bytes) -> bytes:
        broken = bytearray(data)
        if draw.random() < 0.3:
            broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)
        if draw.random() < 0.1:
            del broken[draw.randrange(len(broken)) :]
        if draw.random() < 0.2:
            broken[:0] = b"link: text on the console\r\n"
        return bytes(broken)

    async with connected(cable, mosquitto) as bench:
        cable.change_up = cable.change_down = noisy
        for _ in range(40):
            bench.facts.seat(True)
            await asyncio.sleep(0.02)
        await until(lambda: {seq for _, seq in host.heard_keys()} == set(range(1, 41)), 40)
        cable.change_up = cable.change_down = bytes
        await until(lambda: bench.waiting() == 0, 40)
        assert not bench.link.rejected


async def test_unplugged_unit_is_shown_offline_and_comes_back_with_its_facts(
    mosquitto: Mosquitto, host: Host
) -> None:
    cables = [Cable()]
    with gateway(lambda: cables[-1].host, mosquitto.port):
        async with SerialBench(lambda: cables[-1].unit).running() as bench:
            await until(lambda: bench.link.connected)
            cables[-1].close()
            bench.facts.press()
            await until(lambda: not bench.link.connected)
            await until(lambda: host.states[-1] == State(unit=UNIT, online=False))
            cables.append(Cable())
            await until(lambda: bench.waiting() == 0, 20)
            assert host.heard_keys("button")
    cables[-1].close()


async def test_cable_that_carries_nothing_is_noticed(
    cable: Cable, mosquitto: Mosquitto, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_serial, "_PATIENCE_MS", 1_500)
    monkeypatch.setattr(link_serial, "_QUIET_MS", 300)
    async with connected(cable, mosquitto) as bench:
        cable.plugged = False
        await until(lambda: "nobody answers" in bench.link.fault)
        bench.facts.press()
        cable.plugged = True
        await until(lambda: bench.waiting() == 0, 20)


async def test_unit_of_another_site_is_refused(cable: Cable, mosquitto: Mosquitto) -> None:
    with gateway(lambda: cable.host, mosquitto.port, site="rome"):
        async with SerialBench(lambda: cable.unit).running() as bench:
            await until(lambda: "serves the site rome" in bench.link.fault)


async def test_gateway_survives_any_bytes(cable: Cable, mosquitto: Mosquitto, host: Host) -> None:
    draw = random.Random(9)
    async with connected(cable, mosquitto) as bench:
        for _ in range(200):
            kind, number = draw.choice(list(Kind)), draw.randrange(256)
            cable.say_to_host(draw.randbytes(draw.randrange(60)))
            cable.say_to_host(encode(kind, number, draw.randbytes(draw.randrange(40))))
            cable.say_to_unit(draw.randbytes(draw.randrange(60)))
            await asyncio.sleep(0.001)
        bench.facts.seat(True)
        await until(lambda: bench.waiting() == 0, 30)
    assert {fact.unit for fact in host.facts} == {UNIT}


def test_firmware_on_the_vm_sends_its_facts_over_the_line(
    cable: Cable, mosquitto: Mosquitto, host: Host
) -> None:
    config = {"site": SITE, "unit": UNIT, "site_key": KEY, "link": "serial"}
    words = {"config": config, "facts": 100, "seconds": 20, "tty": cable.unit}
    with gateway(lambda: cable.host, mosquitto.port):
        done = subprocess.run(
            [Path(sys.executable).with_name("micropython"), ROOT / "tests/firmware/vm_link.py"],
            input=json.dumps(words) + "\n",
            env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        end = json.loads(done.stdout.splitlines()[-1])
        assert (end["waiting"], end["fault"]) == (0, ""), done.stdout
        assert len(set(host.heard_keys())) == 80
        deadline = time.monotonic() + 25
        while host.states[-1].online and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not host.states[-1].online, "a unit that says nothing is gone after 15 s"


async def test_every_message_of_the_contract_goes_over_the_line_in_both_directions(
    cable: Cable, mosquitto: Mosquitto, host: Host
) -> None:
    async with connected(cable, mosquitto) as bench:
        for word in DOWN_WORDS:
            host.tell(word, b"{}")  # arrives, and is nothing that a unit can use
        await until(lambda: bench.link.rejected == len(DOWN_WORDS))
        want = Want(bundle="0" * 32, offset=0, size=672)
        progress = Progress(version=6, step="fetching", bundle="0" * 32)
        bench.link.say("want", msgspec.json.encode(want))
        bench.link.say("update", msgspec.json.encode(progress), True)
        await until(lambda: host.wants == [want] and host.progress == [progress])
