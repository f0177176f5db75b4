"""What is soldered to a unit's board where the configuration leaves a choice."""

from typing import Any, Literal

import msgspec

Reader = Literal["mfrc522", "pn532"]
Sensor = Literal["ld2410", "pir", "seat-switch"]


class Parts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reader and presence sensors, by the names that the unit's configuration has for them.

    Raises:
        ValueError: there is no presence sensor, or the same twice.
    """

    reader: Reader = "mfrc522"
    presence: tuple[Sensor, ...] = ("ld2410",)

    def __post_init__(self) -> None:
        if not self.presence or len(set(self.presence)) != len(self.presence):
            raise ValueError("presence: expected one sensor or several, each once")

    @property
    def chips(self) -> tuple[str, ...]:
        """Every chip of the board that can break, see `sim.world.FAULTS`."""
        return (self.reader, *self.presence, "ssd1306", "flash")


def of(config: dict[str, Any]) -> Parts:
    """What a unit's configuration chooses.

    Raises:
        ValueError: it chooses what there is not.
    """
    chosen = {name: config[name] for name in Parts.__struct_fields__ if name in config}
    try:
        return msgspec.convert(chosen, Parts)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
