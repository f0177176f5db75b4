"""What happens in a world: timed actions at desks, in the words that scenarios use."""

from enum import StrEnum

import msgspec


class Deed(StrEnum):
    """What somebody does, or what a radar believes."""

    BADGE_IN = "badges in"
    """Takes the desk and taps as the site's rule wants it: headset, or badge then headset.
    With `other`, that colleague's headset is tried first."""
    SIT = "sits down"
    GET_UP = "gets up"
    """For a moment, without a tap."""
    STEP_OUT = "steps out"
    """For a break: taps the headset unless `ms` is 0, and gets up; comes back to this desk."""
    LEAVE = "leaves"
    """For good: taps the headset unless `ms` is 0, and gets up."""
    PRESS = "presses"
    HOLD = "holds"
    WITHDRAW = "taps the headset"
    """Within two minutes of a press that was a slip."""
    CLEAN = "cleans"
    PASS_BY = "passes by"  # noqa: S105 (no password)
    VISIT = "visits"
    """Somebody without a card sits down at an empty desk for `ms`."""
    TRY = "tries a card"
    """A visitor holds a card that nobody has registered (a bus pass) to the reader."""
    MISS = "is not seen"
    """The radar loses whoever sits there, for `ms`."""
    GHOST = "is haunted"
    """The radar sees somebody at an empty desk, for `ms`."""


class Action(msgspec.Struct, frozen=True, order=True, kw_only=True, omit_defaults=True):
    """Something that happens; ordered by time, then by desk.

    Attributes:
        at_ms: since the world began, at the world's own speed.
        desk: number of the desk as planned, from 0.
        deed: what.
        who: number of the agent, or of the cleaner for CLEAN; -1 for anybody else.
        ms: how long a card is held or the button pressed, or how long it lasts.
        gap_ms: between two cards.
        other: whose headset is tried first; -1 for nobody's.
    """

    at_ms: int
    desk: int
    deed: Deed
    who: int = -1
    ms: int = 0
    gap_ms: int = 0
    other: int = -1


def encode(actions: list[Action]) -> bytes:
    """A plan as bytes, one action a line: what two machines compare."""
    return b"".join(msgspec.json.encode(action) + b"\n" for action in actions)
