"""Defects of our own, planted in a copy of the sources: what the explorer has to find."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SHORT = Path(__file__).parent / "short"
"""A story for each defect: what the explorer has made of the one that found it."""

_SOURCES = ("firmware", "hardware", "host_bridge", "sim")


class Change(NamedTuple):
    """Exactly this text of a file, and what stands in its place."""

    file: str
    old: str
    new: str


class Defect(NamedTuple):
    """Something that must never be shipped.

    Attributes:
        name: what is wrong.
        seed: one whose story finds it.
        breaks: the invariant that says so.
        story: the file in `short/` that shows it.
        changes: to the sources.
    """

    name: str
    seed: int
    breaks: str
    story: str
    changes: tuple[Change, ...]


class TextHasMovedError(Exception):
    """The sources don't say any more what a defect replaces: write the defect anew."""


_PUBACK = """\
        for received in hand.messages:
            self._connections[received.lane].acknowledge(received.message)
"""
_RELAY = "host_bridge/relay/relay.py"

DEFECTS = (
    Defect(
        "the relay acknowledges before it commits",
        27,
        "everything acknowledged is stored",
        "acknowledged-before-commit.yaml",
        (
            Change(_RELAY, _PUBACK, ""),
            Change(
                _RELAY,
                '        reach("relay.before-commit")\n',
                "        hand = self._hand\n"
                + _PUBACK
                + """\
        for fact in hand.batch().facts:
            spans = [(fact.key.seq, fact.key.seq)]
            self._acks.add(fact.key.stream, spans, self._clock.seconds())
        self._acknowledge(everything=True)
        reach("relay.before-commit")
""",
            ),
        ),
    ),
    Defect(
        "a start drops all journal pages but the newest",
        13,
        "no fact is missing",
        "dropped-page.yaml",
        (
            Change(
                "firmware/desk_unit/journal.py",
                "        self.floor = header[1] * self._size + header[2]\n",
                "        self.floor = header[1] * self._size + header[2]\n"
                "        self.floor = max(self.floor, self._generation * self._size)\n",
            ),
        ),
    ),
    Defect(
        "a restart forgets that it has to count on",
        11,
        "no press is lost",
        "forgotten-count.yaml",
        (
            Change(
                "firmware/desk_unit/boots.py",
                "    return min(boot, _MAX_COUNT - 1) + 1\n",
                "    return max(boot, 1)\n",
            ),
        ),
    ),
    Defect(
        "the link ignores the button's lane",
        1,
        "every desk shows what it should",
        "ignored-lane.yaml",
        (
            Change(
                "firmware/desk_unit/link.py",
                """\
        if await self._send(connection, button, button.live() or button.message()):
            return True
""",
                "",
            ),
        ),
    ),
)


@contextmanager
def planted(defect: Defect | None, folder: Path) -> Iterator[Path]:
    """A copy of the sources below `folder`, with a defect or (None) without; removed afterwards.

    Raises:
        TextHasMovedError: the text that a change replaces is not there exactly once.
    """
    copy = folder / "sources"
    try:
        for name in _SOURCES:
            ignored = shutil.ignore_patterns("__pycache__", "*.png", "*.svg")
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        for change in defect.changes if defect else ():
            file = copy / change.file
            text = file.read_text(encoding="utf-8")
            if text.count(change.old) != 1:
                raise TextHasMovedError(f"{change.file} does not say once: {change.old!r}")
            file.write_text(text.replace(change.old, change.new), encoding="utf-8")
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def simulate(copy: Path, *words: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """`chequer simulate` of a copy."""
    return subprocess.run(
        [sys.executable, "-m", "sim", "simulate", *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
