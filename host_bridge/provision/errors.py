"""What can go wrong on the bench, told as: what happened, what was kept, what to do next."""


class ProvisionError(Exception):
    """Provisioning can't go on.

    Attributes:
        what: What happened.
        kept: What is unharmed or remembered.
        todo: What the person at the bench does next.
    """

    def __init__(self, what: str, *, kept: str, todo: str) -> None:
        super().__init__(f"{what} {kept} {todo}")
        self.what = what
        self.kept = kept
        self.todo = todo

    def told(self) -> str:
        """All three parts, as the terminal shows them."""
        return f"{self.what}\n        kept: {self.kept}\n        do:   {self.todo}"


class SetupError(ProvisionError):
    """Something is wrong before any board is touched: a file, a value, the port."""

    def __init__(self, what: str, *, todo: str) -> None:
        super().__init__(what, kept="No board was touched.", todo=todo)


class BoardError(ProvisionError):
    """This board can't be finished; the next one may.

    Attributes:
        step: Where on the road: "find", "flash", "copy", "test", "credentials".
    """

    def __init__(self, step: str, what: str, *, kept: str, todo: str) -> None:
        super().__init__(what, kept=kept, todo=todo)
        self.step = step
