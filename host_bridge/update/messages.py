"""What host and unit say to each other about updates (docs/update.md, "The messages")."""

from typing import Annotated, Literal

import msgspec

from host_bridge.contract.facts import ShortText

MAX_PIECE = 672
"""Most bytes in one piece: base64 makes 896 characters of them, which leaves 128 for the rest."""

BundleName = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
"""First half of the SHA-256 of a bundle's head, in hexadecimal; it stands for the whole bundle."""

Position = Annotated[int, msgspec.Meta(ge=0, le=2**20)]

Reason = Literal[
    "offer", "trial", "failed", "malformed", "signature", "product", "hardware", "mpy", "requires",
    "version", "corrupt", "space", "flash", "memory",
]  # fmt: skip
"""Why a unit refuses an update; docs/update.md says what each means and what to do."""


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

    `version` is what runs. `refused` goes with the step `refused`. After the step `installed` the
    unit starts again; `trial`, `healthy` and `back` come from the starts after that.
    """

    version: Annotated[int, msgspec.Meta(ge=0)]
    step: Literal["idle", "fetching", "installed", "refused", "trial", "healthy", "back"]
    bundle: BundleName | None = None
    received: Annotated[int, msgspec.Meta(ge=0)] = 0
    refused: Reason | None = None
    message: ShortText = ""
