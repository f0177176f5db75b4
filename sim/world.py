"""What surrounds one unit and outlives its power cuts: cards, a person, broken chips, the air."""

from typing import Any, Literal

from sim.parts import Parts

RadarState = Literal["none", "moving", "still", "both"]

FAULTS: dict[str, tuple[str, ...]] = {
    "mfrc522": ("none", "missing", "stuck00", "stuckff", "noise"),
    "pn532": ("none", "missing", "stuck00", "stuckff", "noise", "truncated", "hung"),
    "ld2410": ("none", "missing", "stuck00", "stuckff", "noise", "truncated"),
    "pir": ("none", "missing", "stuck00", "stuckff"),
    "seat-switch": ("none", "missing", "stuck00", "stuckff", "noise"),
    "ssd1306": ("none", "missing"),
    "flash": ("none", "cut", "worn", "dead", "rotten", "small"),
}
"""Chip -> what may be wrong with it; see `sim.faults.catalogue` for what each means.

Flash "cut" and "rotten" happen once; "small" is so from the next start on.
"""

_ONCE = ("cut", "rotten")


class World:
    """Remembers what was done, so that a unit that starts again finds it as it is.

    Args:
        parts: what the board has; it may be changed while the unit is off.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._cards: dict[str, None] = {}
        self._radar: tuple[RadarState, int] = ("none", 0)
        self._seat = False
        self._faults: dict[str, str] = {}
        self._finger = False
        self.air = True
        self.wrap_ms: int | None = None
        """After how long the ticks of the next start begin again at 0; None for never."""
        self.drift_ppm = 0
        """How fast (or slow) the crystal is from the next start on."""

    def commands(self) -> list[dict[str, Any]]:
        """The commands that bring a fresh VM to this state."""
        return [
            *({"put": uid} for uid in self._cards),
            {"radar": list(self._radar)},
            {"seat": self._seat},
            *({"fault": [chip, kind]} for chip, kind in self._faults.items()),
            *([{"button": "down"}] if self._finger else []),
        ]

    def state(self) -> dict[str, Any]:
        """What there is around the unit now: cards, person, seat, faults, finger, air."""
        return {
            "cards": list(self._cards),
            "radar": list(self._radar),
            "seat": self._seat,
            "faults": {chip: kind for chip, kind in self._faults.items() if kind != "none"},
            "finger": self._finger,
            "air": self.air,
        }

    def put(self, uid: str) -> dict[str, Any]:
        """A card is laid on the reader."""
        self._cards[uid] = None
        return {"put": uid}

    def take(self, uid: str) -> dict[str, Any]:
        """It is taken away."""
        self._cards.pop(uid, None)
        return {"take": uid}

    def button(self, down: bool) -> dict[str, Any]:
        """A finger is put on the button, or taken away."""
        self._finger = down
        return {"button": "down" if down else "up"}

    def radar(self, state: RadarState, cm: int) -> dict[str, Any]:
        """Somebody, or nobody, before the desk: all its sensors see it, each in its own way."""
        self._radar = (state, cm)
        self._seat = state in {"still", "both"}
        return {"radar": [state, cm]}

    def motion(self, ms: int) -> dict[str, Any]:
        """Something moves before the PIR.

        Raises:
            ValueError: this board has none.
        """
        self._need("pir")
        return {"motion": ms}

    def seat(self, taken: bool) -> dict[str, Any]:
        """The contact under the seat closes or opens, whoever is there.

        Raises:
            ValueError: this board has none.
        """
        self._need("seat-switch")
        self._seat = taken
        return {"seat": taken}

    def fault(self, chip: str, kind: str, after: int) -> dict[str, Any]:
        """A chip breaks or is mended.

        Raises:
            ValueError: there is no such chip (on this board), or it does not break in this way.
        """
        if chip not in FAULTS:
            raise ValueError(f"no chip {chip!r}; there are {', '.join(FAULTS)}")
        if kind not in FAULTS[chip]:
            raise ValueError(f"{chip} knows the faults {', '.join(FAULTS[chip])}, not {kind!r}")
        self._need(chip)
        if kind in _ONCE:
            return {"fault": [chip, kind, after]}
        self._faults[chip] = kind
        return {"fault": [chip, kind]}

    def wrap(self) -> int | None:
        """`wrap_ms`, for the start that it was said of and no other."""
        wrap_ms, self.wrap_ms = self.wrap_ms, None
        return wrap_ms

    def _need(self, chip: str) -> None:
        if chip not in self.parts.chips:
            raise ValueError(f"this board has no {chip}; it has {', '.join(self.parts.chips)}")
