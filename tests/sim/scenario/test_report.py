"""Reports: complete, well-formed whatever is in them, and self-contained."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from sim.scenario.record import Event, Failure, Outcome, Result
from sim.scenario.report import FORMATS, as_json, as_junit
from sim.scenario.timeline import MARKS, timeline

HOSTILE = "<script>alert(1)</script> & \x07\ud800"[:-1]


def result(outcome: Outcome = "passed", title: str = "T", failures: int = 0) -> Result:
    events = [
        Event(0.0, "A1", "shown", "FREE"),
        Event(0.5, "A1", "press", title),
        Event(1.0, None, "fault", title, until=4.0),
        Event(2.0, "A1", "shown", ""),
    ]
    return Result(
        file="a.yaml",
        title=title,
        about=title,
        requirements=["2.5"],
        seed=7,
        outcome=outcome,
        seconds=3.25,
        failures=[Failure(9, title, title)] * failures,
        desks=["A1"],
        events=events,
        replay="chequer simulate a.yaml --seed 7",
    )


@pytest.mark.parametrize("ending", FORMATS)
def test_a_failure_is_there_with_its_line_seed_and_command(ending: str) -> None:
    text = FORMATS[ending]([result("failed", "what was expected", 1)])
    assert "what was expected" in text
    assert "chequer simulate a.yaml --seed 7" in text
    assert "a.yaml" in text
    assert "9" in text


def test_json_has_everything_that_happened() -> None:
    (read,) = json.loads(as_json([result()]))
    assert [event["kind"] for event in read["events"]] == ["shown", "press", "fault", "shown"]


def test_junit_counts_and_tells_failures_errors_and_skips_apart() -> None:
    outcomes: list[Outcome] = ["passed", "failed", "broken", "skipped"]
    made = [result(o, f"t {o}", o in {"failed", "broken"}) for o in outcomes]
    suite = ET.fromstring(as_junit(made))
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    tags = [[child.tag for child in case] for case in suite]
    assert tags == [[], ["failure"], ["error"], ["skipped"]]


def test_nothing_in_a_title_breaks_a_report() -> None:
    made = [result("failed", HOSTILE, 1)]
    ET.fromstring(as_junit(made))
    json.loads(as_json(made))
    assert "<script" not in FORMATS[".html"](made)


def test_the_page_fetches_nothing() -> None:
    html = FORMATS[".html"]([result(), result("failed", "x", 1)])
    assert not re.search(r"(src|href)=|url\(|@import", html)
    assert "<script" not in html


def test_the_page_shows_what_went_wrong_first_and_open() -> None:
    html = FORMATS[".html"]([result(title="all well"), result("failed", "went wrong", 1)])
    assert html.index("went wrong") < html.index("all well")
    assert html.count("<details open>") == 1


def test_the_picture_is_well_formed_and_has_a_lane_for_the_host_and_each_desk() -> None:
    picture = ET.fromstring(timeline(result(title="a < b & c")))
    lanes = [text.text for text in picture.iter("text") if text.get("class") == "lane"]
    assert lanes == ["host", "A1"]
    bands = [r.get("class") for r in picture.iter("rect")]
    assert bands == ["band fault", "band free", "band off"]
    marks = [g.get("class") for g in picture.iter("g") if "mark" in (g.get("class") or "")]
    assert marks == ["mark press"]


def test_every_mark_has_a_shape_of_its_own() -> None:
    assert len({shape for _, shape in MARKS.values()}) == len(MARKS)


def test_a_story_in_which_nothing_happened_has_a_picture_too() -> None:
    nothing = Result(
        file="a.yaml", title="T", about="", requirements=[], seed=1, outcome="broken",
        seconds=0.0, failures=[], desks=["A1"], events=[], replay="",
    )  # fmt: skip
    ET.fromstring(timeline(nothing))
