"""Bad input of every kind, each piece of it different from all others."""

import json
from collections.abc import Callable, Iterator

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from host_bridge.contract.facts import MAX_COUNT, MAX_MESSAGE

SITE = "odd"
EACH = 100
"""Messages of each kind."""


class Rubbish(msgspec.Struct, frozen=True):
    """A kind of bad input: what it is, its payload, and what must become of each message."""

    name: str
    payload: Callable[[int], bytes]
    facts: int = 0
    letters: int = 1
    topic: str = "chequer/v1/odd/r{n}/fact"


def _seat(n: int, **changes: object) -> bytes:
    fact = {"type": "seat", "unit": f"r{n}", "boot": 1, "seq": 1, "up": 5, "occupied": True}
    kept = {name: value for name, value in {**fact, **changes}.items() if value != "absent"}
    return json.dumps(kept).encode()


def _with(**changes: object) -> Callable[[int], bytes]:
    return lambda n: _seat(n, **changes)


def _several(n: int) -> bytes:
    items = [_seat(n, seq=1), _seat(n, seq=2, type="dance"), b"7", _seat(n, seq=3)]
    return b"[" + b",".join(items) + b"]"


KINDS = (
    Rubbish("not JSON", lambda n: b"{'n': %d}" % n),
    Rubbish("cut off", lambda n: _seat(n)[:-9]),
    Rubbish("not UTF-8", lambda n: b'{"n":"\xff%d"}' % n),
    Rubbish("nothing", lambda _: b""),
    Rubbish("an empty array", lambda _: b"[]"),
    Rubbish("arrays in arrays", lambda n: b"%d" % n + b"[" * 900),
    Rubbish("a byte too long", lambda n: _seat(n).ljust(MAX_MESSAGE + 1)),
    Rubbish("far too long", lambda n: _seat(n).ljust(9_000)),
    Rubbish("unknown type", _with(type="dance")),
    Rubbish("no object", lambda n: b"%d" % n),
    Rubbish("another unit's name", _with(unit="somebody")),
    Rubbish("another lane's type", _with(type="press")),
    Rubbish("wrong lane", _with(), topic="chequer/v1/odd/r{n}/button"),
    Rubbish("a unit that can't be", _with(), topic="chequer/v1/odd/R{n}/fact"),
    *(Rubbish(f"sequence {each}", _with(seq=each))
      for each in (0, -1, MAX_COUNT + 1, 2**70, 1.5, "1", None, "absent")),
    *(Rubbish(f"boot {each}", _with(boot=each)) for each in (0, MAX_COUNT + 1)),
    *(Rubbish(f"time {each}", _with(at=each)) for each in (0, -1, 5, 2**62, "noon")),
    *(Rubbish(f"age {each}", _with(age=each)) for each in (-1, 2**53 + 1, 0.5)),
    Rubbish("a clock that can't be", _with(at=1_800_000_000_000, clock="sun")),
    Rubbish("half a surrogate", lambda n: b'{"type":"crash","unit":"r%d","boot":1,"seq":1,"up":1,'
            b'"text":"\\ud800"}' % n),
    # Odd, but facts: they are kept.
    Rubbish("older than any unit", _with(age=2**53), facts=1, letters=0),
    Rubbish("ahead of its time", _with(at=4_000_000_000_000, clock="sntp"), facts=1, letters=0),
    Rubbish("the last number", _with(seq=MAX_COUNT, boot=MAX_COUNT), facts=1, letters=0),
    Rubbish("unknown fields", _with(uid="04a1b2c3d4e5f6"), facts=1, letters=0),
    Rubbish("NUL in a text", lambda n: b'{"type":"crash","unit":"r%d","boot":1,"seq":1,"up":1,'
            b'"text":"a\\u0000b"}' % n, facts=1, letters=0),
    Rubbish("good and bad together", _several, facts=2, letters=2),
)  # fmt: skip
"""All of them."""


def messages() -> Iterator[tuple[str, bytes]]:
    """(topic, payload) of everything, the kinds mixed."""
    for turn in range(EACH):
        for index, kind in enumerate(KINDS):
            n = index * EACH + turn
            yield kind.topic.format(n=n), kind.payload(n)


def expected() -> tuple[int, int]:
    """Facts and different dead letters that there must be of it."""
    # In "good and bad together" one of the bad ones is the same everywhere, but its topic is not.
    return (sum(kind.facts for kind in KINDS) * EACH, sum(kind.letters for kind in KINDS) * EACH)


def pour(port: int) -> None:
    """Send everything to the broker; returns when the broker has it."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="rubbish")
    client.max_inflight_messages_set(200)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(topic, payload, qos=1) for topic, payload in messages()]
    for each in sent:
        each.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
