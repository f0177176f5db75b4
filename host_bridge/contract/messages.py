"""Messages other than facts: a unit's state, what the host tells it, and its updates."""

from typing import Annotated, Literal

import msgspec

from host_bridge.contract.facts import Count, Lane, Milliseconds, Name, ShortText, UnixMilliseconds

VerdictWord = Literal[
    "own",
    "not-yours",
    "unknown",
    "not-cleaned",
    "elsewhere",
    "badge",
    "badge-first",
    "goodbye",
    "cleaned",
    "withdrawn",
    "enrolled",
    "already-known",
]
"""What a tap meant. `badge`: a personal badge was read, the headset is awaited (site mode
"badge-then-headset"); `badge-first`: a headset without one; `goodbye`: tapped again to leave;
`cleaned`: a cleaner's card; `withdrawn`: the own headset within two minutes after a press;
`enrolled` and `already-known`: the answers to a tag that was presented to be enrolled."""

SeatWord = Literal["free", "reserved", "taken", "blocked", "conflict", "dirty", "full"]
"""Whether this seat may be used now. `conflict`: somebody sits where the plan says blocked."""


class Waiting(msgspec.Struct, kw_only=True, frozen=True):
    """Facts in the unit's journal that the host has not acknowledged, per lane."""

    ordinary: Annotated[int, msgspec.Meta(ge=0)]
    button: Annotated[int, msgspec.Meta(ge=0)]


class State(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A unit's retained state. The last will is the same message with `online` false only.

    `mode` "safe": after five starts that failed, the unit keeps its link, hears its button and
    takes updates, nothing else.
    """

    unit: Name
    online: bool
    boot: Count | None = None
    firmware: ShortText = ""
    mode: Literal["normal", "safe"] = "normal"
    up: Milliseconds = 0
    occupied: bool | None = None
    faults: dict[str, ShortText] = {}
    waiting: Waiting | None = None
    heap_free: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Ack(msgspec.Struct, kw_only=True, frozen=True):
    """The host has committed these facts; the unit may forget them.

    `spans` are inclusive ranges of sequence numbers, ascending, usually one that begins at 1.
    A unit drops its oldest facts of that boot and lane as long as they lie within a span.
    `time` is the host's clock, in Unix milliseconds, when it sent this. A unit does not set its own
    by one that can't be right, but forgets the facts all the same.
    """

    boot: Count
    lane: Lane
    spans: Annotated[list[tuple[Count, Count]], msgspec.Meta(min_length=1, max_length=8)]
    time: Milliseconds


class Verdict(msgspec.Struct, kw_only=True, frozen=True):
    """The answer to the tag fact (`boot`, `seq`)."""

    boot: Count
    seq: Count
    verdict: VerdictWord
    time: Milliseconds


class Restart(msgspec.Struct, kw_only=True, frozen=True):
    """Start again, on purpose; a unit in safe mode tries its whole program again.

    `boot` is the present boot of the unit, so that the message works once.
    """

    boot: Count


class Guidance(msgspec.Struct, kw_only=True, frozen=True):
    """Retained: may this seat be used now? `version` counts up with every change."""

    seat: SeatWord
    version: Count


class Mode(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Retained: how a unit is to behave.

    Until `drill_until` presses are practice: it is a time of the host's, so that a drill ends by
    itself when nobody ends it, and a unit that does not know the time is in none. `quiet`: no
    sound. `night`: dimmed. `badge_first`: the site asks for a badge, then the headset.
    """

    drill_until: UnixMilliseconds | None = None
    quiet: bool = False
    night: bool = False
    badge_first: bool = False


class Incident(msgspec.Struct, kw_only=True, frozen=True):
    """A person has answered for the unit's reports up to (`boot`, `seq`) of the button's lane."""

    boot: Count
    seq: Count
    stage: Literal["seen"]


class Enrol(msgspec.Struct, kw_only=True, frozen=True):
    """The next tag within `seconds` is to be enrolled; 0 ends the wait. Not retained."""

    seconds: Annotated[int, msgspec.Meta(ge=0, le=300)]


MAX_PIECE = 672
"""Most bytes in one piece: base64 makes 896 characters of them, which leaves 128 for the rest."""

BundleName = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
"""First half of the SHA-256 of a bundle's head, in hexadecimal; it stands for the whole bundle."""

Position = Annotated[int, msgspec.Meta(ge=0, le=2**20)]

RefusalReason = Literal[
    "offer", "trial", "failed", "malformed", "signature", "product", "hardware", "mpy", "requires",
    "version", "corrupt", "space", "flash", "memory", "fault",
]  # fmt: skip
"""Why a unit refuses an update; docs/update.md says what each means and what to do."""


UpdateStep = Literal["fetching", "installed", "refused", "trial", "healthy", "back"]
"""How far a unit is with an update. `installed`: it starts again as soon as nobody minds;
`trial`: the new version runs and has yet to prove itself; `healthy`: it has; `back`: it has not,
and the version before it runs again."""


class Offer(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """`down/update`: this bundle is meant for the unit.

    `again` lets it try a version that has failed its trial there before.
    """

    bundle: BundleName
    size: Annotated[int, msgspec.Meta(ge=1, le=2**20)]
    again: bool = False


class Want(msgspec.Struct, kw_only=True, frozen=True):
    """`want`: the unit asks for `size` bytes of a bundle, beginning at `offset`."""

    bundle: BundleName
    offset: Position
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_PIECE)]


class Piece(msgspec.Struct, kw_only=True, frozen=True):
    """`down/piece`: exactly the bytes that were asked for. `data` travels as base64."""

    bundle: BundleName
    offset: Position
    data: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_PIECE)]


class Progress(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """`update`, retained: how far the unit is with the bundle that it was offered last.

    `version` is what runs, 0 if that is not known. `refused` goes with the step `refused`. The
    steps `trial`, `healthy` and `back` come from the starts after `installed`, without `bundle`.
    """

    version: Annotated[int, msgspec.Meta(ge=0)]
    step: UpdateStep
    bundle: BundleName | None = None
    received: Annotated[int, msgspec.Meta(ge=0)] = 0
    refused: RefusalReason | None = None
    message: ShortText = ""
