"""The whole workbench in a browser: real broker, relay and director, real firmware on the VM."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sim.tell import tell
from sim.vm import ROOT
from sim.workbench.cards import deck, people
from tests.processes import works
from tests.services import free_port, program

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """`python -m sim workbench` as a user starts it; gives the page's address and control port."""
    folder = tmp_path_factory.mktemp("workbench")
    command = [sys.executable, "-m", "sim", "workbench", "--page", str(free_port())]
    with (folder / "errors.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--folder", str(folder / "bench")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(3)]
    address = re.search(r"http://\S+", said[1])
    port = re.search(r"control port 127\.0\.0\.1:(\d+)", said[2])
    assert address and port, (said, (folder / "errors.log").read_text())
    children = psutil.Process(process.pid).children(recursive=True)
    yield address[0], int(port[1])
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0, (folder / "errors.log").read_text()
    assert not any(map(works, psutil.wait_procs(children, timeout=5)[1]))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program("chromium"), args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def errors() -> list[str]:
    """What the browser complained of, violations of the content security policy among it."""
    return []


@pytest.fixture(scope="module")
def opened(browser: Browser, workbench: tuple[str, int], errors: list[str]) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    opened.goto(workbench[0])
    opened.wait_for_selector("#stream[data-state=live]")
    yield opened
    opened.close()


@pytest.fixture
def page(opened: Page, workbench: tuple[str, int], errors: list[str]) -> Iterator[Page]:
    """The page, live, with power and network."""
    tell(workbench[1], '{"network":"back"}')
    tell(workbench[1], '{"power":"on"}')
    expect(opened.locator(".unit")).to_have_attribute("data-powered", "yes")
    yield opened
    assert not errors


def shows(page: Page, words: str) -> None:
    expect(page.locator("#display")).to_have_attribute(
        "aria-label", f"Display: {words}", timeout=12_000
    )


def ring(page: Page) -> set[str]:
    return {str(led.get_attribute("data-rgb")) for led in page.locator(".led").all()}


def hold(page: Page) -> None:
    page.locator("#button .cap").hover()
    page.mouse.down()


def test_a_press_on_the_page_is_seen_on_ring_and_display_until_it_is_stored(page: Page) -> None:
    dark = page.locator("#pixels").get_attribute("d")
    page.locator("#button .cap").click()
    shows(page, "STORED")
    assert page.locator("#pixels").get_attribute("d") != dark
    expect(page.locator('[data-led="3"]')).to_have_attribute("data-rgb", "red 0, green 40, blue 0")
    assert ring(page) <= {"red 0, green 40, blue 0", "dark"}
    expect(page.locator('[data-led="3"] .lens')).to_have_attribute(
        "fill", re.compile("^#..[ef]...$")
    )


def test_facts_survive_the_plug_that_is_pulled_during_a_press(page: Page) -> None:
    page.get_by_role("button", name="Cut the network").click()
    expect(page.locator(".unit")).to_have_attribute("data-air", "no")
    hold(page)
    presses = page.locator('[data-lane="button"] .fact[data-type="press"]')
    expect(presses).to_have_count(1)
    expect(page.locator("#button")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('#power').click()")
    expect(page.locator(".unit")).to_have_attribute("data-powered", "no")
    page.mouse.up()
    expect(page.locator("#up")).to_have_text("off")
    expect(page.locator(".pixels").first).to_have_css("opacity", "0")
    expect(presses).to_have_count(1)
    page.get_by_role("button", name="Plug in").click()
    expect(page.locator(".unit")).to_have_attribute("data-powered", "yes", timeout=15_000)
    expect(presses).to_have_count(1)
    page.get_by_role("button", name="Bring it back").click()
    expect(presses).to_have_count(0, timeout=20_000)


def test_a_tapped_card_brings_its_verdict_to_the_display(page: Page) -> None:
    expect(page.locator("#trace")).to_contain_text("down/guidance", timeout=15_000)
    page.get_by_role("button", name="Tap: Unknown").click()
    shows(page, "UNKNOWN")


def test_a_card_that_is_dragged_lies_on_the_reader_as_long_as_it_is_held(page: Page) -> None:
    card = page.locator("[data-card=badge].card")
    card.hover()
    page.mouse.down()
    box = page.locator(".pad").bounding_box()
    assert box
    page.mouse.move(box["x"] + 50, box["y"] + 40, steps=8)
    expect(page.locator("#reader")).to_have_attribute("data-card", "yes")
    expect(page.locator("#lying")).to_have_text("My badge")
    page.mouse.up()
    expect(page.locator("#reader")).to_have_attribute("data-card", "no")


def test_the_wires_show_every_bus_and_no_uid(page: Page) -> None:
    trace = page.locator("#trace")
    page.get_by_role("button", name="Tap: My headset").click()
    expect(trace).to_contain_text("MFRC522 write CommandReg 0C Transceive")
    expect(trace).to_contain_text("UID complete")
    expect(trace).to_contain_text("PUBLISH fact QoS1", timeout=8_000)
    page.locator("label:has(input[value=still])").click()
    expect(trace).to_contain_text("LD2410 report still 70 cm", timeout=8_000)
    told = (trace.text_content() or "").replace(" ", "").upper()
    for known in deck(people()).values():
        for uid in known.uids:
            for half in (uid[:8], uid[-8:]):
                assert half not in told
    page.locator("label:has(input[value=none])").click()


def test_the_wires_can_be_paused_filtered_and_cleared(page: Page) -> None:
    rows = page.locator("#trace .wire")
    expect(rows.first).to_be_attached()
    page.get_by_role("button", name="Pause").click()
    count = rows.count()
    expect(page.locator("#pause")).to_contain_text(re.compile(r"\([1-9]"), timeout=8_000)
    assert rows.count() == count
    page.locator("#pause").click()
    page.locator("label:has([data-filter=SPI])").click()
    expect(page.locator('#trace .wire[data-bus="SPI"]').first).to_be_hidden()
    page.locator("label:has([data-filter=SPI])").click()
    page.get_by_role("button", name="Clear").click()
    assert rows.count() < 5


def test_the_keyboard_presses_and_taps(page: Page) -> None:
    page.locator("#button").focus()
    page.keyboard.down(" ")
    expect(page.locator("#button")).to_have_attribute("aria-pressed", "true")
    page.keyboard.up(" ")
    shows(page, "STORED")
    page.locator("#cm").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#cm-text")).to_have_text("80 cm")


def test_a_broken_chip_is_told_and_mended(page: Page, workbench: tuple[str, int]) -> None:
    select = page.locator('[data-chip="mfrc522"]')
    select.select_option("missing")
    expect(select).to_have_attribute("data-broken", "yes")
    expect(page.locator("#trace")).to_contain_text('"chip":"rfid"', timeout=15_000)
    tell(workbench[1], '{"fault":{"chip":"mfrc522","kind":"none"}}')
    expect(select).to_have_value("none")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (900, 1000)])
def test_nothing_is_cut_off_and_everything_has_a_name(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button, select, input, [role=button]')].filter((each) =>
             !each.textContent.trim() && !each.getAttribute('aria-label') && !each.labels?.length)
             .length"""
    )
    assert unnamed == 0
    if width == 1280:
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
