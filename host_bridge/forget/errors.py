"""Why nothing was deleted."""


class ClockError(Exception):
    """The host's clock may be wrong, so nothing was deleted; the message says what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}. Nothing was deleted. Put the host's clock right; if it is right, "
            "say so: chequer forget --clock-is-right"
        )
        self.reason = reason
