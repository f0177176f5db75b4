"""Facts: what desk units report. One struct per type; the wire form is JSON.

A fact's key is (site, unit, boot, lane, seq): `seq` counts from 1 without holes within one boot
and one lane, so that the host can tell a missing fact from one of the other lane. The lane is
the topic's last word and not repeated in the body.

Time (docs/protocol.md, "Time"): `up` is the unit's uptime when it happened, `age` how long ago
that was when the message was sent (absent when an earlier boot left the fact behind), `at` the
unit's own clock with its quality in `clock`.
"""

from typing import Annotated, Literal

import msgspec

MAX_MESSAGE = 1024
"""Longest payload in bytes, of a single fact or of a batch."""

MAX_COUNT = 2**32 - 1
"""Largest boot or sequence number."""

MAX_TIME = 4_102_444_800_000
"""Latest time that is believed, 2100-01-01T00:00:00Z in Unix milliseconds."""

MIN_TIME = 1_700_000_000_000
"""Earliest time that is believed: no unit was made before (2023-11-14)."""

Lane = Literal["ordinary", "button"]
LANES: tuple[Lane, ...] = ("ordinary", "button")

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
"""A unit's or site's name: fits one MQTT topic level and a label."""

Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
UnixMilliseconds = Annotated[int, msgspec.Meta(ge=MIN_TIME, le=MAX_TIME)]
TagHash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
"""First 16 bytes of HMAC-SHA256(site key, UID), in hexadecimal. Never a raw UID."""

Clock = Literal["none", "host", "sntp"]
"""Quality of the unit's own clock: never set, set by the host's messages, set by SNTP."""

ShortText = Annotated[str, msgspec.Meta(max_length=120)]


class Fact(msgspec.Struct, kw_only=True, frozen=True, tag_field="type", omit_defaults=True):
    """What all facts have in common."""

    unit: Name
    boot: Count
    seq: Count
    up: Milliseconds
    age: Milliseconds | None = None
    at: UnixMilliseconds | None = None
    clock: Clock = "none"


class LastBoot(msgspec.Struct, kw_only=True, frozen=True):
    """How far the boot before this one had counted, so that a lost tail shows as a gap.

    Zero means that the lane had no fact in that boot.
    """

    boot: Count
    ordinary: Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
    button: Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]


class Boot(Fact, frozen=True, tag="boot"):
    """The unit started. Always the first ordinary fact of a boot (seq 1)."""

    cause: Literal["power", "hard", "watchdog", "soft", "deepsleep", "unknown"]
    firmware: Annotated[str, msgspec.Meta(max_length=32)]
    last: LastBoot | None = None
    clean: bool = False
    """Whether the unit had started again on purpose, not by a crash or a power cut."""


class Tag(Fact, frozen=True, tag="tag"):
    """A tag was presented to the reader (once per presentation, not per poll).

    With `enrol` it was presented to be enrolled, because the host had asked for it: that is no
    badge-in.
    """

    tag: TagHash
    enrol: bool = False


class Seat(Fact, frozen=True, tag="seat"):
    """The seat became occupied or vacant, after the unit's settling filter."""

    occupied: bool


class Provisional(Fact, frozen=True, tag="provisional"):
    """The host did not answer a tap in time; the unit showed `verdict` on its own.

    The verdict is "provisional" if the unit knew nothing, else the word that it showed.
    `tap` is the sequence number of the tag fact (same boot, ordinary lane).
    """

    tap: Count
    verdict: Annotated[str, msgspec.Meta(max_length=32)]


class Chip(Fact, frozen=True, tag="chip"):
    """A chip stopped answering as it should, or works again."""

    chip: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,16}\Z")]
    ok: bool
    reason: ShortText = ""


class Place(msgspec.Struct, kw_only=True, frozen=True):
    """One fact's place in the order of its lane."""

    boot: Count
    seq: Count


class Dropped(Fact, frozen=True, tag="dropped"):
    """A lane's flash was full: its oldest facts were given up before the host had them.

    The range is certain and may be reported twice, also once more as a part of a larger one;
    `count` is how many unacknowledged facts the unit had in it.
    """

    lane: Lane
    count: Count
    first: Place
    last: Place


class Crash(Fact, frozen=True, tag="crash"):
    """The program of an earlier boot ended by an error or got stuck.

    `text` names the exception and where it was raised, never its message, which could hold
    anything. `failed` counts the starts in a row before this one that did not last a minute.
    """

    text: Annotated[str, msgspec.Meta(max_length=100)]
    failed: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0


class Press(Fact, frozen=True, tag="press"):
    """The button went down. Button lane only. With `drill` it is practice and never counts."""

    drill: bool = False


class Urgent(Fact, frozen=True, tag="urgent"):
    """A long hold, or three quick presses. Button lane only; follows its press."""

    gesture: Literal["hold", "three"]
    drill: bool = False


AnyFact = Boot | Tag | Seat | Provisional | Chip | Dropped | Crash | Press | Urgent

BUTTON_FACTS: tuple[type[Fact], ...] = (Press, Urgent)
"""The types that travel on the button lane; all others travel on the ordinary lane."""


def lane_of(fact: Fact) -> Lane:
    """The lane that a fact belongs to, by its type."""
    return "button" if isinstance(fact, BUTTON_FACTS) else "ordinary"
