"""How the desk unit feels: the whole firmware on CPython, with a host behind a real broker."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from desk_unit import known
from desk_unit.reader import ABSENT_POLLS
from host_bridge.contract.facts import Press, Provisional, Seat, Tag, Urgent
from host_bridge.contract.messages import Enrol, Guidance, Incident, Mode
from tests.firmware.desk import UID, Desk, FaultError, until
from tests.firmware.host import Host, now
from tests.firmware.test_unit import of, running
from tests.services import Mosquitto, free_port

OTHER = bytes.fromhex("04b1b2c3d4e5f6")


@pytest.fixture
def host(mosquitto: Mosquitto) -> Iterator[Host]:
    host = Host(mosquitto.port)
    yield host
    for word in ("mode", "guidance"):
        host.tell(word, b"", retain=True)
    host.close()


@pytest.fixture
def desk(mosquitto: Mosquitto) -> Desk:
    return Desk(mosquitto.port)


async def tap(desk: Desk, uid: bytes = UID) -> None:
    """Hold a card to the reader until it is seen, and wait until it is seen to be gone."""
    for present, polls in (([uid], 1), ([], ABSENT_POLLS)):
        desk.reader.present = present
        enough = desk.reader.polls + polls
        await until(lambda: desk.reader.polls >= enough)  # noqa: B023 (waited for at once)


async def sit(desk: Desk, host: Host) -> None:
    seats = len(of(host, Seat))
    desk.radar.state = 2
    await until(lambda: len(of(host, Seat)) == seats + 1)


async def test_a_press_is_heard_and_the_lamp_lights_at_once(host: Host, desk: Desk) -> None:
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        assert 0 < desk.lamp.level < 65535
        desk.tone.tones.clear()
        await desk.button.press()
        # How soon is told in the chip's own time: tests/soak/test_press.py.
        assert desk.tone.tones[0][1] == 3_000
        assert desk.lamp.level == 65535
        await until(lambda: desk.canvas.lines == ["STORED"])
        await until(lambda: desk.lamp.level < 65535)


async def test_seen_reaches_the_desk_long_after_stored_and_only_once(
    host: Host, desk: Desk
) -> None:
    async with running(desk) as unit:
        await desk.button.press()
        await until(lambda: desk.canvas.lines == ["STORED"])
        await until(lambda: unit._face.word(unit._uptime.now()) == "")
        host.tell("incident", Incident(boot=1, seq=1, stage="seen"))
        await until(lambda: desk.canvas.lines == ["SEEN"])
        tones = len(desk.tone.tones)
        host.tell("incident", Incident(boot=1, seq=1, stage="seen"))
        await asyncio.sleep(0.3)
        assert len(desk.tone.tones) <= tones + 3


async def test_hammering_cancels_nothing_and_every_press_is_a_fact(host: Host, desk: Desk) -> None:
    async with running(desk):
        for _ in range(12):
            await desk.button.press(0.03)
            await asyncio.sleep(0.05)
        await until(lambda: len(of(host, Press)) == 12)
        assert len(of(host, Urgent)) == 4
        await until(lambda: desk.canvas.lines == ["STORED"])


@pytest.mark.parametrize("seat", ["free", "dirty", "blocked", "conflict", "full", "reserved"])
async def test_no_guidance_blocks_a_press(host: Host, desk: Desk, seat: str) -> None:
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        host.guide(Guidance(seat=seat, version=1))
        await until(lambda: unit._face.guidance == seat)
        await desk.button.press()
        await until(lambda: of(host, Press))


async def test_no_dead_chip_blocks_a_press_or_the_one_after_it(host: Host, desk: Desk) -> None:
    for chip in (desk.reader, desk.radar, desk.display, desk.pixels):
        chip.fault = "dead"

    def dead(*_: object, **__: object) -> None:
        raise FaultError("dead")

    desk.tone.init = desk.lamp.duty_u16 = dead  # type: ignore[method-assign,assignment]
    desk.known.load = desk.known.save = dead  # type: ignore[method-assign,assignment]
    desk.known.load = lambda: b"\xff" * 99  # type: ignore[method-assign]
    async with running(desk):
        await asyncio.sleep(0.1)
        for _ in range(2):
            await desk.button.press()
            await asyncio.sleep(0.1)
        await until(lambda: len(of(host, Press)) == 2)


async def test_a_drill_is_marked_shown_and_ends_by_itself(host: Host, desk: Desk) -> None:
    async with running(desk) as unit:
        await until(lambda: unit._link.connected and unit._wall.quality)
        host.tell("mode", Mode(drill_until=now() + 2_500), retain=True)
        await until(lambda: desk.canvas.lines == ["DRILL"])
        await desk.button.press()
        await until(lambda: "STORED" in desk.canvas.lines and "DRILL" in desk.canvas.lines)
        await until(lambda: "DRILL" not in desk.canvas.lines)
        await desk.button.press(2.2)
        await until(lambda: len(of(host, Urgent)) == 1)
    assert [fact.drill for fact in of(host, Press)] == [True, False]
    assert [fact.drill for fact in of(host, Urgent)] == [False]


async def test_a_unit_that_does_not_know_the_time_is_in_no_drill(
    mosquitto: Mosquitto, desk: Desk
) -> None:
    host = Host(mosquitto.port, answering=False)
    host.tell("mode", Mode(drill_until=now() + 60_000), retain=True)
    async with running(desk) as unit:
        await until(lambda: unit._mode[0] > 0)
        await desk.button.press()
        await until(lambda: of(host, Press))
        assert [fact.drill for fact in of(host, Press)] == [False]
    host.tell("mode", b"", retain=True)
    host.close()


async def test_quiet_silences_every_sound_and_leaves_light_and_words(
    host: Host, desk: Desk
) -> None:
    host.on_fact = lambda fact: host.judge(fact, "own") if isinstance(fact, Tag) else None
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        host.tell("mode", Mode(quiet=True), retain=True)
        await until(lambda: unit._panel.quiet)
        await tap(desk)
        await until(lambda: desk.canvas.lines == ["YOURS"])
        await desk.button.press()
        await until(lambda: desk.canvas.lines == ["STORED"])
        assert desk.tone.tones == []
        host.tell("mode", Mode(), retain=True)
        await until(lambda: not unit._panel.quiet)
        await tap(desk)
        assert desk.tone.tones


async def test_night_dims_ring_display_and_lamp_and_day_brings_them_back(
    host: Host, desk: Desk
) -> None:
    async with running(desk) as unit:
        await until(lambda: unit._link.connected and desk.lamp.level)
        bright = desk.pixels.brightness, desk.display.level, desk.lamp.level
        host.tell("mode", Mode(night=True), retain=True)
        await until(lambda: desk.display.level < bright[1])
        await until(lambda: desk.pixels.brightness < bright[0])
        assert desk.lamp.level < bright[2]
        desk.display.fault = "unplugged"
        await until(lambda: "display" in unit._chips.faults)
        desk.display.level, desk.display.fault = 207, ""
        await until(lambda: desk.display.level < bright[1])
        host.tell("mode", Mode(), retain=True)
        await until(lambda: desk.display.level == bright[1] and desk.lamp.level == bright[2])


async def test_enrolment_marks_one_tag_and_shows_what_became_of_it(host: Host, desk: Desk) -> None:
    host.on_fact = lambda fact: (
        host.judge(fact, "enrolled") if isinstance(fact, Tag) and fact.enrol else None
    )
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        host.tell("enrol", Enrol(seconds=60))
        await until(lambda: desk.canvas.lines == ["READY TO", "ENROL"])
        await tap(desk)
        await until(lambda: desk.canvas.lines == ["ENROLLED"])
        await tap(desk)
        await until(lambda: len(of(host, Tag)) == 2)
        assert [fact.enrol for fact in of(host, Tag)] == [True, False]
        assert len(unit._known) == 0, "an enrolment is no verdict on a tap"


async def test_enrolment_expires_by_itself(host: Host, desk: Desk) -> None:
    async with running(desk) as unit:
        await until(lambda: unit._link.connected)
        host.tell("enrol", Enrol(seconds=1))
        await until(lambda: desk.canvas.lines == ["READY TO", "ENROL"])
        await until(lambda: desk.canvas.lines == [])
        await tap(desk)
        await until(lambda: of(host, Tag))
        assert not of(host, Tag)[0].enrol


async def test_what_the_host_said_is_known_without_it_after_a_power_cut(
    mosquitto: Mosquitto, desk: Desk
) -> None:
    host = Host(mosquitto.port)
    host.on_fact = lambda fact: host.judge(fact, "own") if isinstance(fact, Tag) else None
    async with running(desk):
        await tap(desk)
        await until(lambda: desk.canvas.lines == ["YOURS"])
        await until(lambda: desk.known.data is not None)
    host.close()
    desk.wifi.present = False
    async with running(desk):
        await tap(desk)
        await until(lambda: desk.canvas.lines == ["YOURS", "PROVISIONAL"], 1.5)
        await tap(desk, OTHER)
        await until(lambda: desk.canvas.lines == ["PROVI", "SIONAL"], 1.5)
        await tap(desk)
        await until(lambda: desk.canvas.lines == ["GOODBYE", "PROVISIONAL"], 1.5)
    late = Host(mosquitto.port)
    desk.wifi.present = True
    async with running(desk):
        await until(lambda: len(of(late, Provisional)) == 3)
    words = [fact.verdict for fact in of(late, Provisional)]
    assert words == ["own", "provisional", "goodbye"]
    late.close()


async def test_a_cleaners_card_makes_a_dirty_desk_clean_without_the_host(
    mosquitto: Mosquitto, desk: Desk
) -> None:
    host = Host(mosquitto.port)
    host.on_fact = lambda fact: host.judge(fact, "cleaned") if isinstance(fact, Tag) else None
    async with running(desk) as unit:
        await tap(desk)
        await until(lambda: len(unit._known) == 1)
        host.guide(Guidance(seat="dirty", version=1))
        await until(lambda: unit._face.guidance == "dirty")
        host.tell("guidance", b"", retain=True)
        await asyncio.sleep(0.2)
        desk.wifi.present = False
        await until(lambda: not unit._link.connected)
        await tap(desk)
        await until(lambda: desk.canvas.lines == ["CLEANED", "PROVISIONAL"])
        await until(lambda: desk.canvas.lines == ["CLEANED"])
    host.close()


async def test_withdrawing_without_the_host_is_provisional_and_shown(desk: Desk) -> None:
    desk.wifi.present = False
    async with running(desk) as unit:
        unit._badge_in.heard(unit._tags._tag_hash(UID), "own", 490_000)
        await desk.button.press()
        unit._face._progress = ""
        await tap(desk, OTHER)
        await until(lambda: desk.canvas.lines == ["PROVI", "SIONAL"])
        await tap(desk)
        await until(lambda: desk.canvas.lines == ["WITH", "DRAWN", "PROVISIONAL"])
        assert unit._memory.button.journal.waiting == 1, "a withdrawal deletes nothing"


async def test_another_site_key_empties_what_was_known(desk: Desk) -> None:
    desk.wifi.present = False
    async with running(desk) as unit:
        unit._known.learn(b"x" * 16, known.HEADSET, 490_000)
        await until(lambda: desk.known.data is not None)
    desk.config.site_key = b"another key of the site"
    async with running(desk) as unit:
        assert len(unit._known) == 0
        await until(lambda: b"x" * 16 not in (desk.known.data or b""))


async def test_a_break_is_offered_after_a_report_and_begins_by_standing_up(
    host: Host, desk: Desk
) -> None:
    desk.config.break_minutes = 17
    async with running(desk) as unit:
        await sit(desk, host)
        await desk.button.press()
        await until(lambda: desk.canvas.lines == ["BREAK?", "STAND UP"])
        facts = {(fact.boot, fact.seq, type(fact)) for fact in host.facts}
        desk.radar.state = 0
        await until(lambda: desk.canvas.lines == ["BREAK", "17 MIN"], 14)
        await sit(desk, host)
        assert desk.canvas.lines == ["BREAK", "17 MIN"]
        unit._link.touch()
        await asyncio.sleep(0.3)
        news = [f for f in host.facts if (f.boot, f.seq, type(f)) not in facts]
        assert {type(fact) for fact in news} == {Seat}, "a break is no fact"
    everything = b"".join([*host.payloads, *(bytes(flash._data) for flash in desk.flashes)])
    # How old a fact is, in milliseconds, may be any number.
    everything = re.sub(rb'"(age|up)": ?[0-9]+', b"", everything)
    for trace in (b"break", b"BREAK", b"rest", b":17,", b":17}", b"1020000"):
        assert trace not in everything, trace


def test_the_firmware_starts_without_anything_that_was_kept() -> None:
    desk = Desk(free_port())
    desk.known = None  # type: ignore[assignment]
    assert desk.start()
