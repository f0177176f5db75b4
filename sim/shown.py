"""What a person at the desk sees and hears: built from what the VM reports of its outputs."""

import msgspec

from sim.chips.ws2812 import WS2812Model
from sim.glass import Glass

PIXELS = 8

Colour = tuple[int, int, int]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A look at the unit.

    Attributes:
        powered: whether it has power.
        ring: (red, green, blue) per pixel, 0 to 255.
        display: lines of text, from top to bottom; icons are not among them.
        buzzer: hertz, 0 when silent.
        lamp: brightness of the button's lamp, 0 to 255.
    """

    powered: bool
    ring: list[Colour]
    display: list[str]
    buzzer: int
    lamp: int


class Front:
    """The unit's front: glass, ring, lamp and buzzer."""

    def __init__(self) -> None:
        self.glass = Glass()
        self._ring = WS2812Model(PIXELS)
        self._levels = {"lamp": 0, "buzzer": 0}

    def power_cycle(self) -> None:
        """Everything dark and silent."""
        self.glass.power_cycle()
        self._ring = WS2812Model(PIXELS)
        self._levels = {"lamp": 0, "buzzer": 0}

    def take(self, name: str, value: object) -> bool:
        """An output as the VM reports it; False when it is none of ours.

        Raises:
            ValueError: it is malformed.
        """
        if name == "i2c":
            self.glass.write(bytes.fromhex(str(value)))
        elif name == "ring":
            self._ring.write(bytes.fromhex(str(value)))
        elif name in self._levels and isinstance(value, int):
            self._levels[name] = value
        else:
            return False
        return True

    def level(self, name: str) -> object:
        """Ring, lamp or buzzer alone, as in `Shown`."""
        return self.ring() if name == "ring" else self._levels[name]

    def ring(self) -> list[Colour]:
        """The ring's pixels, as in `Shown`."""
        return list(self._ring.pixels)

    def picture(self) -> bytes:
        """The display's 128 x 64 pixels (MONO_VLSB)."""
        return self.glass.picture()

    def look(self, powered: bool) -> Shown:
        """What is to be seen now."""
        return Shown(
            powered=powered,
            ring=self.ring(),
            display=self.glass.lines(),
            buzzer=self._levels["buzzer"],
            lamp=self._levels["lamp"],
        )
