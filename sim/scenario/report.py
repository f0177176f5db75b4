"""Reports: a page to look at, JSON for programs, JUnit's XML for continuous integration."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import msgspec

from sim.scenario.page import page
from sim.scenario.record import Result

_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_json(results: list[Result]) -> str:
    """The results with all events, one object a scenario."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1).decode() + "\n"


def as_junit(results: list[Result]) -> str:
    """JUnit's XML: a test case a scenario."""
    bad = sum(result.outcome == "failed" for result in results)
    suite = ET.Element(
        "testsuite",
        name="scenarios",
        tests=str(len(results)),
        failures=str(bad),
        errors=str(sum(result.outcome == "broken" for result in results)),
        skipped=str(sum(result.outcome == "skipped" for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            name=_clean(result.title),
            classname=Path(result.file).stem,
            time=f"{result.seconds:.3f}",
        )
        if result.outcome == "skipped":
            ET.SubElement(case, "skipped", message="slow; told with --slow")
        for failure in result.failures:
            tag = "failure" if result.outcome == "failed" else "error"
            detail = ET.SubElement(case, tag, message=_clean(failure.expected))
            where = f"{result.file}:{failure.line}" if failure.line else result.file
            detail.text = _clean(
                f"{where}\nexpected: {failure.expected}\nseen: {failure.seen}\n"
                f"seed: {result.seed}\nagain: {result.replay}"
            )
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, "unicode") + "\n"


def _clean(text: str) -> str:
    """Without what XML can't hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


FORMATS: dict[str, Callable[[list[Result]], str]] = {
    ".html": page,
    ".json": as_json,
    ".xml": as_junit,
}
"""How a file ends -> what is written into it."""


def write(file: Path, results: list[Result]) -> None:
    """Write a report; how the file ends says which."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(FORMATS[file.suffix](results), encoding="utf-8")
