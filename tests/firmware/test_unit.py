"""The whole firmware on CPython, from the desk to a host behind a real broker."""

import asyncio
import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any

from desk_unit import VERSION
from desk_unit.ram_flash import RamFlash
from host_bridge.contract.facts import Boot, Chip, Fact, LastBoot, Press, Provisional, Seat, Tag
from host_bridge.contract.facts import Urgent as UrgentFact
from host_bridge.contract.messages import Guidance
from tests.firmware.desk import KEY, UID, Desk, until
from tests.firmware.host import Host
from tests.services import Mosquitto, free_port

GREEN = (0, 40, 0)
AMBER = (44, 22, 0)


@contextlib.asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[Any]:
    """The firmware, from its start to a power cut."""
    unit = desk.start()
    before = asyncio.all_tasks()
    task = asyncio.create_task(unit.run())
    try:
        yield unit
    finally:
        ended = asyncio.all_tasks() - before
        for other in ended:
            other.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        assert task.done()


def of(host: Host, kind: type[Fact]) -> list[Any]:
    """The facts of a type that the host has, in their order, duplicates left out."""
    found = {(fact.boot, fact.seq): fact for fact in host.facts if isinstance(fact, kind)}
    return [found[key] for key in sorted(found)]


async def test_first_fact_of_a_boot_says_how_far_the_last_had_counted(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    async with running(desk):
        await until(lambda: of(host, Boot))
        await desk.button.press()
        await until(lambda: of(host, Press))
    first = of(host, Boot)[0]
    assert (first.boot, first.seq, first.cause, first.firmware) == (1, 1, "power", VERSION)
    assert first.last is None
    counted = max(fact.seq for fact in host.facts if not isinstance(fact, Press))
    desk.cause = "watchdog"
    async with running(desk):
        await until(lambda: len(of(host, Boot)) == 2)
    second = of(host, Boot)[1]
    assert (second.boot, second.seq, second.cause) == (2, 1, "watchdog")
    assert second.last == LastBoot(boot=1, ordinary=counted, button=1)


async def test_tap_becomes_a_keyed_hash_and_the_verdict_is_shown(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    host.on_fact = lambda fact: host.judge(fact, "own") if isinstance(fact, Tag) else None
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        desk.reader.present = [UID]
        await until(lambda: desk.canvas.lines == ["YOURS"])
        await until(lambda: GREEN in desk.pixels.picture)
    digest = hmac.new(bytes.fromhex(KEY), UID, hashlib.sha256).hexdigest()[:32]
    assert [fact.tag for fact in of(host, Tag)] == [digest]
    assert not of(host, Provisional)


async def test_raw_uid_appears_nowhere(mosquitto: Mosquitto, host: Host) -> None:
    desk = Desk(mosquitto.port)
    async with running(desk):
        desk.reader.present = [UID]
        await until(lambda: of(host, Tag))
        desk.reader.fault = "lost"
        await until(lambda: of(host, Chip))
    flash = b"".join(bytes(flash._data) for flash in desk.flashes)
    for form in (UID, UID.hex().encode(), UID.hex().upper().encode(), UID[::-1]):
        assert form not in flash
        assert not any(form in payload for payload in host.payloads)
        assert not any(form.decode("latin-1") in line for line in desk.lines)


async def test_tap_without_an_answer_is_provisional_and_a_late_verdict_is_shown(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        desk.reader.present = [UID]
        await until(lambda: desk.canvas.lines == ["PROVI", "SIONAL"])
        await until(lambda: of(host, Provisional))
        tap = of(host, Tag)[0]
        provisional = of(host, Provisional)[0]
        assert (provisional.tap, provisional.verdict) == (tap.seq, "provisional")
        assert 1_500 <= provisional.up - tap.up < 1_800
        host.judge(tap, "not-yours")
        await until(lambda: desk.canvas.lines == ["NOT", "YOURS"])


async def test_press_is_shown_at_once_then_sent_then_stored(
    mosquitto: Mosquitto, host: Host
) -> None:
    host.answering = False
    desk = Desk(mosquitto.port)
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        host.guide(Guidance(seat="free", version=1))
        await until(lambda: desk.canvas.lines == ["FREE"])
        desk.pixels.shown.clear()
        begun = time.monotonic()
        await desk.button.press()
        at, picture = next(frame for frame in desk.pixels.shown if frame[1][7] == AMBER)
        assert at - begun < 0.05
        assert set(picture) == {AMBER}
        await until(lambda: desk.canvas.lines == ["SENT"])
        host.acknowledge(1, "button", (1, 1))
        await until(lambda: desk.canvas.lines == ["STORED"])
        await until(lambda: desk.canvas.lines == ["FREE"])


async def test_hold_and_three_presses_are_urgent(mosquitto: Mosquitto, host: Host) -> None:
    desk = Desk(mosquitto.port)
    async with running(desk):
        await desk.button.press(2.2)
        await until(lambda: len(of(host, UrgentFact)) == 1)
        await asyncio.sleep(0.1)
        for _ in range(3):
            await desk.button.press()
            await asyncio.sleep(0.1)
        await until(lambda: len(of(host, UrgentFact)) == 2)
    assert [fact.gesture for fact in of(host, UrgentFact)] == ["hold", "three"]
    assert len(of(host, Press)) == 4


async def test_somebody_sitting_down_is_a_fact_and_in_the_state(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    async with running(desk):
        desk.radar.state = 2
        await until(lambda: of(host, Seat))
        await until(lambda: host.states and host.states[-1].occupied is True)
    assert [fact.occupied for fact in of(host, Seat)] == [True]


async def test_failing_chip_is_reported_and_the_rest_goes_on(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    desk.reader.fault = "reads 00h only"
    desk.display.fault = "does not acknowledge"
    async with running(desk):
        await until(lambda: len(of(host, Chip)) == 2)
        wrong = {"rfid": "reads 00h only", "display": "does not acknowledge"}
        await until(lambda: host.states and wrong.items() <= host.states[-1].faults.items())
        await desk.button.press()
        await until(lambda: of(host, Press))
        desk.reader.fault = desk.display.fault = ""
        desk.reader.present = [UID]
        await until(lambda: of(host, Tag))
        await until(lambda: len(of(host, Chip)) == 4)
        await until(lambda: not host.states[-1].faults)
    assert [(fact.chip, fact.ok) for fact in of(host, Chip)] == [
        ("rfid", False),
        ("display", False),
        ("rfid", True),
        ("display", True),
    ]


async def test_everything_works_offline_and_arrives_later(mosquitto: Mosquitto) -> None:
    desk = Desk(mosquitto.port)
    desk.wifi.present = False
    for _ in range(2):
        async with running(desk) as unit:
            desk.reader.present = [UID]
            await until(lambda: unit._memory.ordinary.journal.waiting >= 2)
            await desk.button.press()
            assert unit._memory.button.journal.waiting
    host = Host(mosquitto.port)
    desk.wifi.present = True
    desk.reader.present = []
    async with running(desk) as unit:
        await until(lambda: len(of(host, Boot)) == 3)
        await until(
            lambda: (
                not unit._memory.ordinary.journal.waiting
                and not unit._memory.button.journal.waiting
            )
        )
    assert {fact.boot for fact in of(host, Tag)} == {1, 2}
    assert {fact.boot for fact in of(host, Press)} == {1, 2}
    for boot in (1, 2, 3):
        seqs = sorted({seq for of_boot, seq in host.heard_keys() if of_boot == boot})
        assert seqs == list(range(1, len(seqs) + 1)), "a hole"
    assert all((fact.age is None) == (fact.boot != 3) for fact in host.facts)
    host.close()


async def test_missing_flash_is_reported_and_a_press_still_arrives(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    desk.flashes = (None, None)  # type: ignore[assignment]
    async with running(desk):
        await desk.button.press()
        await until(lambda: of(host, Press))
        await until(lambda: "button-journal" in host.states[-1].faults)
        assert "memory only" in host.states[-1].faults["journal"]


async def test_full_journal_is_reported_in_the_state(mosquitto: Mosquitto, host: Host) -> None:
    host.answering = False
    desk = Desk(mosquitto.port)
    desk.flashes = (RamFlash(5), RamFlash(5))
    async with running(desk) as unit:
        for _ in range(80):
            unit._facts.seat(True)
        unit._link.touch()
        await until(lambda: host.states and "dropped" in host.states[-1].faults.get("journal", ""))


async def test_watchdog_is_fed_while_tasks_progress_and_starves_when_one_hangs() -> None:
    desk = Desk(free_port())
    async with running(desk):
        await until(lambda: desk.fed >= 2)

        def hang() -> bool:
            raise asyncio.CancelledError  # ends the guard's task

        desk.button.closed = hang  # type: ignore[method-assign]
        await asyncio.sleep(6.5)
        fed = desk.fed
        await asyncio.sleep(2.5)
        assert desk.fed == fed
        await until(lambda: desk.starts.crash.startswith("stuck: button"))


async def test_failing_task_is_logged_and_started_again(mosquitto: Mosquitto, host: Host) -> None:
    desk = Desk(mosquitto.port)
    async with running(desk):
        desk.pixels.fault = "broken"
        await until(lambda: any("starts again" in line for line in desk.lines))
        desk.pixels.fault = ""
        await desk.button.press()
        await until(lambda: of(host, Press))
        await until(lambda: any(any(pixel) for pixel in desk.pixels.picture))


async def test_state_says_what_waits(mosquitto: Mosquitto, host: Host) -> None:
    host.answering = False
    desk = Desk(mosquitto.port)
    async with running(desk) as unit:
        unit._facts.press()
        await until(lambda: of(host, Press))
        unit._link.touch()
        await until(lambda: host.states and host.states[-1].waiting is not None)
        await until(lambda: host.states[-1].waiting.button == 1)  # type: ignore[union-attr]
        state = host.states[-1]
        assert (state.online, state.boot, state.firmware) == (True, 1, VERSION)


async def test_somebody_is_busy_while_more_is_shown_than_what_the_seat_is_good_for() -> None:
    unit = Desk(free_port()).start()
    face = unit._face
    for guidance in ("", "free", "dirty"):
        face.guidance = guidance
        assert not unit._busy()
    face.unprotected = True
    assert not unit._busy(), "an update may be what brings the link back"
    for standing in ("enrol", "break-offer", "break"):
        face.standing = standing
        assert unit._busy(), standing
    face.standing = ""
    face.judge("own", unit._uptime.now())
    assert unit._busy()
    face._verdict = ""
    assert not unit._busy()
    face.press(1, 1, unit._uptime.now())
    assert unit._busy()
