from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.host_bridge.served import Served, serving
from tests.services import Mosquitto, program

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for a module: while it runs, asyncio.run works nowhere else."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program("chromium"), args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def served(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Served]:
    with serving(tmp_path, mosquitto) as running:
        yield running


@pytest.fixture
def errors() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def page(browser: Browser, served: Served, errors: list[str]) -> Iterator[Page]:
    """The floor plan, live."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    opened.goto(served.url)
    opened.wait_for_selector("#stream[data-state=live]")
    yield opened
    opened.close()
