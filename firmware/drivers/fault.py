"""The one error that a driver raises."""


class ChipFault(Exception):
    """A chip does not do what its data sheet says.

    Attributes:
        chip: "rfid", "radar", "pir", "seat-switch" or "display".
        reason: one sentence for a person, at most 120 characters.
    """

    def __init__(self, chip: str, reason: str) -> None:
        super().__init__("%s: %s" % (chip, reason))
        self.chip = chip
        self.reason = reason
