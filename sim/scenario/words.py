"""The vocabularies of others that sentences borrow: display, facts, page, fault points."""

import ast
import functools
import typing

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

_SCREEN = ROOT / "firmware" / "desk_unit" / "screen.py"


@functools.cache
def display_words() -> frozenset[str]:
    """Everything that the display can say: the lines of each page, joined by spaces.

    Read from the firmware's own source, so that a new page needs no change here.
    """
    found = {""}
    for node in ast.walk(ast.parse(_SCREEN.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Tuple) and node.elts:
            texts = [e.value for e in node.elts if isinstance(e, ast.Constant)]
            words = [text for text in texts if isinstance(text, str)]
            if len(words) == len(node.elts) and all(w == w.upper() for w in words):
                found.add(" ".join(words))
    return frozenset(found - {""})
