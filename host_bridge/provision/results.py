"""What the factory test on the board has said, judged.

The board prints one line a check, `check <name> <ok|fail> <detail>`, and `end` after the last. It
is a stranger until it has passed: lines, length and characters are bounded, and what is missing has
failed.
"""

import re
from dataclasses import dataclass

from host_bridge.provision.site import Chips

MAX_OUTPUT = 8192
"""Most bytes that a factory test may say."""

_BEFORE = ("mac", "flash", "partitions", "journal", "heap", "reader")
_SENSORS = {"ld2410": ("radar",), "pir": (), "seat-switch": ("seat_switch",)}
_AFTER = ("display", "button")


def required(chips: Chips) -> tuple[str, ...]:
    """Every check that a board must pass, in the order in which they run.

    A PIR gives no answer that tells it from a broken wire: it has none.
    """
    sensors = [check for sensor in chips.presence for check in _SENSORS[sensor]]
    return (*_BEFORE, *sensors, *_AFTER)


_LINE = re.compile(r"check ([a-z_]{1,16}) (ok|fail)(?: ([ -~]{0,80}))?\Z")


@dataclass(frozen=True)
class Check:
    """One check: its name, whether the board passed, and what it measured."""

    name: str
    passed: bool
    detail: str


def judge(output: bytes, chips: Chips) -> list[Check]:
    """All required checks, in their order; one that the board did not report has failed."""
    lines = output[:MAX_OUTPUT].decode("ascii", "replace").splitlines()
    said = {}
    for line in lines:
        if match := _LINE.match(line.strip()):
            said[match[1]] = Check(match[1], match[2] == "ok", match[3] or "")
    missing = "not reported" if "end" in lines else "not reported: the test broke off"
    return [said.get(name, Check(name, passed=False, detail=missing)) for name in required(chips)]


def failures(checks: list[Check]) -> str:
    """The failed checks in one line, or "" when the board has passed."""
    return "; ".join(f"{c.name} ({c.detail or 'no detail'})" for c in checks if not c.passed)
