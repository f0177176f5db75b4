import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from host_bridge.contract.facts import Dropped, Place
from tests.host_bridge import site
from tests.host_bridge.served import Served, start


def desk(page: Page, name: str) -> Locator:
    return page.locator(f'.desk[data-desk="{name}"]')


def looks(page: Page, name: str) -> tuple[str, str, str]:
    """A desk's colour, icon and word."""
    group = desk(page, name)
    colour = group.locator(".tile").evaluate("tile => getComputedStyle(tile).fill")
    icon = group.locator("use").get_attribute("href")
    return colour, icon or "", group.locator(".word").text_content() or ""


@pytest.fixture
def still(page: Page) -> Page:
    """Without transitions, so that a colour read is a colour reached."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate("window.notReloaded = true")
    return page


def test_a_desk_changes_in_colour_icon_and_word_without_a_reload(still, served, errors):
    served.online(*site.UNITS)
    expect(desk(still, "A1").locator(".word")).to_have_text("Free")
    story = [("Free", "#icon-free")]
    seen = [looks(still, "A1")]
    for fact, word, icon in (
        (site.seat("u1", 1, True), "In use", "#icon-taken"),
        (site.tap("u1", 2, site.HEADSET_OF_ANNA), "In use", "#icon-taken"),
        (site.seat("u1", 3, False), "Reserved", "#icon-reserved"),
        (site.tap("u1", 4, site.HEADSET_OF_ANNA), "To clean", "#icon-dirty"),
        (site.tap("u1", 5, site.CLEANER), "Free", "#icon-free"),
    ):
        site.commit(served.store, fact)
        expect(desk(still, "A1").locator(".word")).to_have_text(word, timeout=2_000)
        story.append((word, icon))
        seen.append(looks(still, "A1"))
    assert [(word, icon) for _, icon, word in seen] == story
    assert len({colour for colour, _, _ in seen}) == 4
    assert still.evaluate("window.notReloaded")
    assert errors == []


def test_titles_counts_and_head_count_follow(still, served):
    served.online(*site.UNITS)
    expect(still.locator("#news")).to_contain_text("desks have changed")
    site.commit(served.store, site.seat("u2", 1, True))
    group = desk(still, "A2")
    expect(group).to_have_attribute("aria-label", "Desk A2: Conflict")
    assert group.locator("title").text_content() == "Desk A2: Conflict, used, though kept empty"
    expect(still.locator("[data-people]")).to_have_text("1")
    expect(still.locator('[data-count-of="conflict"] .key-count')).to_have_text("1")
    expect(still.locator("#news")).to_contain_text("Desk A2: Conflict", timeout=3_000)


def test_delivery_shows_a_gap_within_seconds(still, served):
    expect(still.locator("#delivery-lead")).to_have_text("Every fact is accounted for")
    site.commit(served.store, site.seat("u1", 4, True), dead=2)
    expect(still.locator("#delivery-lead")).to_have_text("Something is missing")
    expect(still.locator('[data-figure="missing"]')).to_have_text("3")
    expect(still.locator('[data-figure="dead_letters"]')).to_have_text("2")
    expect(still.locator("#gap-units")).to_have_text("from 1 unit")
    full = Dropped(
        unit="u1",
        boot=1,
        seq=5,
        up=5,
        lane="ordinary",
        count=2,
        first=Place(boot=1, seq=2),
        last=Place(boot=1, seq=3),
    )
    site.commit(served.store, full)
    expect(still.locator("#gap-units")).to_have_text("from 1 unit, 2 dropped by full units")
    still.reload()
    expect(still.locator("#gap-units")).to_have_text("from 1 unit, 2 dropped by full units")


def test_a_dead_broker_is_announced_and_the_notice_goes_when_it_is_back(still, served, mosquitto):
    mosquitto.kill()
    expect(still.locator("#health")).to_contain_text("The broker is in trouble, since")
    expect(still.locator("#stream-text")).to_contain_text("Desks not heard since")
    mosquitto.start()
    expect(still.locator("#health .notice")).to_have_count(0, timeout=20_000)
    expect(still.locator("#stream-text")).to_have_text("Live")


def test_a_broken_stream_is_said_with_its_time_and_mends_itself(still, served):
    served.online(*site.UNITS)
    expect(desk(still, "A1").locator(".word")).to_have_text("Free")
    served.stop()
    expect(still.locator("#stream")).to_have_attribute("data-state", "broken")
    expect(still.locator("#stream-text")).to_have_text(
        re.compile(r"Not live since .*\d\d.*, reconnecting")
    )
    assert float(still.locator(".plan").evaluate("p => getComputedStyle(p).opacity")) < 1
    site.commit(served.store, site.seat("u1", 1, True))
    again = start(served.settings, served.store, served.desks)
    try:
        expect(still.locator("#stream-text")).to_have_text("Live", timeout=10_000)
        expect(desk(still, "A1").locator(".word")).to_have_text("In use")
        assert still.evaluate("window.notReloaded")
    finally:
        again.stop()


def test_the_arrow_keys_walk_the_plan_and_tab_leaves_it(still):
    desk(still, "A1").focus()
    for key, name in (("ArrowRight", "A2"), ("ArrowDown", "A6"), ("ArrowLeft", "A5")):
        still.keyboard.press(key)
        expect(desk(still, name)).to_be_focused()
    still.keyboard.press("Tab")
    assert still.evaluate("!document.activeElement.closest('.plan')")


@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_nothing_overflows_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


CONTRASTS = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => {
      const s = c / 255;
      return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const desk = document.querySelector(".desk");
  const room = parse(getComputedStyle(document.querySelector(".room")).backgroundColor);
  return [...document.querySelectorAll(".key")].map(({ dataset: { state } }) => {
    desk.dataset.state = state;
    const paint = parse(getComputedStyle(desk.querySelector(".tile")).fill);
    const back = paint.length === 4 && paint[3] === 0 ? room : paint;
    const ink = parse(getComputedStyle(desk.querySelector(".word")).fill);
    const [high, low] = [light(ink), light(back)].sort((a, b) => b - a);
    return [state, (high + 0.05) / (low + 0.05), back.slice(0, 3).join()];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_icons_on_every_colour_have_a_contrast_of_4_5(browser: Browser, served, scheme):
    page = browser.new_page(color_scheme=scheme, reduced_motion="reduce")
    page.goto(served.url)
    found = page.evaluate(CONTRASTS)
    page.close()
    assert len(found) == 8
    assert {state: ratio for state, ratio, _ in found if ratio < 4.5} == {}
    assert len({colour for _, _, colour in found}) == 8


def test_the_page_is_whole_without_javascript(browser: Browser, served: Served):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(served.url)
    expect(desk(page, "A1").locator(".word")).to_have_text("Offline")
    expect(page.locator(".notice")).to_contain_text("as it was when it was loaded")
    page.context.close()
