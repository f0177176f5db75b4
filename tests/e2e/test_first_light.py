"""The whole road: unchanged firmware on the MicroPython VM, real broker, real file, real page."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sim.tags import tag_hash
from sim.tell import tell
from sim.unit import SimUnit
from tests.e2e.road import HEADSET, KEY, SITE, STRANGER, Road, command, road, simulated_unit
from tests.e2e.test_page import looks
from tests.services import Mosquitto

BOOTS = "SELECT boot FROM facts WHERE type = 'boot' ORDER BY boot"
PRESSES = "SELECT boot FROM facts WHERE lane = 'button'"


@pytest.fixture
def host(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Road]:
    with road(tmp_path, mosquitto) as running:
        yield running


def unit(where: Road, name: str) -> SimUnit:
    broker = ("127.0.0.1", where.broker.port)
    return SimUnit(
        folder=where.folder / name, broker=broker, site=SITE, unit=name, site_key=KEY, heap="224k"
    )


async def shows(desk: SimUnit, *lines: str) -> list[tuple[int, int, int]]:
    """Wait for words on the display; what the ring looks like then."""
    seen = await desk.wait_for(lambda shown: shown.display == list(lines), seconds=15)
    return seen.ring


def test_a_tap_on_a_112_kb_heap_is_a_row_in_sqlite_and_a_verdict_on_the_ring(host: Road):
    async def story() -> tuple[int, int]:
        desk = unit(host, "a1")
        await desk.start()
        try:
            free = await shows(desk, "FREE")
            await desk.tap(HEADSET)
            own = await shows(desk, "YOURS")
            assert any(green > red + blue for red, green, blue in own)
            assert own != free
            await desk.tap(STRANGER)
            unknown = await shows(desk, "UNKNOWN")
            assert unknown not in (own, free)
            await desk.press()
            stored = await shows(desk, "STORED")
            assert stored not in (own, free, unknown)
            return await desk.heap()
        finally:
            await desk.stop()

    _, heap_left = asyncio.run(story())
    assert heap_left > 0
    tags = host.rows("SELECT json_extract(body, '$.tag') FROM facts WHERE type = 'tag' ORDER BY id")
    assert tags == [(tag_hash(KEY, HEADSET),), (tag_hash(KEY, STRANGER),)]
    assert host.rows("SELECT count(*) FROM facts WHERE lane = 'button'") == [(1,)]
    assert host.rows("SELECT count(*) FROM dead_letters") == [(0,)]


def test_no_raw_uid_leaves_the_unit(host: Road):
    async def story() -> None:
        desk = unit(host, "a1")
        await desk.start()
        try:
            await shows(desk, "FREE")
            await desk.tap(HEADSET)
            await shows(desk, "YOURS")
        finally:
            await desk.stop()

    asyncio.run(story())
    raw = bytes.fromhex(HEADSET)
    spellings = [raw, HEADSET.encode(), HEADSET.lower().encode(), ",".join(map(str, raw)).encode()]
    looked_at = [file for file in host.folder.rglob("*") if file.is_file()]
    assert {"chequer.db", "host.log", "mosquitto.log"} <= {file.name for file in looked_at}
    for file in looked_at:
        content = file.read_bytes()
        for spelling in spellings:
            assert spelling not in content, file.name


def test_a_press_without_a_network_survives_a_power_cut_and_arrives_once(host: Road):
    async def story() -> None:
        desk = unit(host, "b1")
        await desk.start()
        try:
            await shows(desk, "FREE")
            await desk.network(False)
            await desk.press()
            await shows(desk, "PRESSED")
            await desk.power_cut()
            await desk.power_on()
            await desk.network(True)
            await asyncio.to_thread(host.wait_for, lambda: len(host.rows(BOOTS)) == 2)
            await asyncio.to_thread(host.wait_for, lambda: host.rows(PRESSES))
        finally:
            await desk.stop()

    asyncio.run(story())
    assert host.rows(BOOTS) == [(1,), (2,)]
    assert host.rows(PRESSES) == [(1,)]


def test_a_tap_changes_the_desk_on_the_page_in_colour_icon_and_word(host: Road, browser: Browser):
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(host.url)
    with simulated_unit(host, "a1") as port:
        word = page.locator('.desk[data-desk="A1"] .word')
        expect(word).to_have_text("Free", timeout=20_000)
        before = looks(page, "A1")
        assert tell(port, command(tap={"uid": HEADSET, "ms": 400})) == {"ok": True}
        expect(word).not_to_have_text("Free", timeout=5_000)
        tapped = looks(page, "A1")
        assert all(one != other for one, other in zip(before, tapped, strict=True))
        assert tell(port, command(radar={"state": "still", "cm": 70})) == {"ok": True}
        expect(word).to_have_text("In use", timeout=20_000)
        taken = looks(page, "A1")
        assert all(one != other for one, other in zip(tapped, taken, strict=True))
    assert errors == []
    page.close()
