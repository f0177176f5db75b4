"""The vocabularies of others that sentences borrow: display, facts, page, fault points."""

import ast
import functools
import re
import typing
from collections.abc import Iterator

from host_bridge.contract.facts import AnyFact
from host_bridge.contract.messages import SeatWord
from sim.vm import ROOT

FACTS = [str(kind.__struct_config__.tag) for kind in typing.get_args(AnyFact)]
"""Types of facts."""

PAGE = [*typing.get_args(SeatWord), "offline"]
"""What the page says of a desk."""

COLOURS = ["red", "green", "blue", "amber", "white"]
"""Families of colours that a ring can have."""

FAULTPOINTS = [
    "store.in-transaction",
    "relay.before-commit",
    "relay.after-commit",
    "relay.after-puback",
    "relay.before-ack",
    "relay.after-ack",
]
"""Where the relay can be told to die; a test holds this against the host."""

KINDS = {
    "garbage": b"\xff\xfe{no JSON",
    "unknown type": b'{"type":"horoscope","unit":"%s","boot":1,"seq":900,"up":1}',
    "fact of another unit": b'{"type":"seat","unit":"zz9","boot":1,"seq":1,"up":1,"occupied":true}',
}
"""Messages that make no sense; %s is the unit."""

_SOURCES = ("screen.py", "looks.py")
_CAPITALS = re.compile(r"(?:[A-Z]|%d)(?:[A-Z0-9/ ]|%d)+$")


@functools.cache
def display_words() -> frozenset[str]:
    """Everything that the display can say: the lines of each page, joined by spaces.

    Read from the firmware's own source, so that a new page needs no change here: texts are
    whatever is written in capitals, in tuples of lines or at the ends of rows ("NOT/YOURS").
    A number is %d.
    """
    found = set()
    for name in _SOURCES:
        source = ROOT / "firmware" / "desk_unit" / name
        if source.exists():
            found |= set(_texts(ast.parse(source.read_text(encoding="utf-8"))))
    return frozenset(found)


def screen(state: str) -> str:
    """What the display says when nothing else is to be shown, for a state of the page."""
    source = (ROOT / "firmware" / "desk_unit" / "looks.py").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(state)} \w \w+ \w+ \S+ (.+)$", source, re.MULTILINE)
    return found[1].replace("/", " ") if found else "nothing"


def says(word: str) -> bool:
    """Can the display say this?"""
    return re.sub(r"\d+", "%d", word) in display_words()


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple):
            parts = [e.value for e in node.elts if isinstance(e, ast.Constant)]
            texts = [part for part in parts if isinstance(part, str)]
            if texts and all(_CAPITALS.fullmatch(text) for text in texts):
                yield " ".join(texts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            rows = node.value.splitlines()
            for row in rows if len(rows) > 1 else ():
                if match := _CAPITALS.search(row):
                    yield match[0].replace("/", " ")
