"""What is known about one desk, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """A personal badge was read; the headset is awaited. `time` in Unix milliseconds."""

    person: int
    time: int


@dataclass(frozen=True, slots=True)
class Pressed:
    """The last press of the button: its key, and the unit's uptime then, in milliseconds."""

    boot: int
    seq: int
    up: int


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk's state. Times are Unix milliseconds.

    `since` is when the seat last became occupied or vacant, `held_since` when `holder` signed
    in. `used` says that somebody was here since the desk was ready, `dirty` that they have left
    and nobody has cleaned. `last_person` may come back to their own dirt. `pressed` is the last
    press, until it is withdrawn.
    """

    occupied: bool = False
    since: int = 0
    holder: int | None = None
    held_since: int = 0
    badge: Badge | None = None
    used: bool = False
    dirty: bool = False
    last_person: int | None = None
    pressed: Pressed | None = None
