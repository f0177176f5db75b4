"""What the person at the bench sees: one bar for the board, one for the list, lines that stay."""

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from host_bridge.provision.errors import BoardError
from host_bridge.provision.label import Label

_SHARE = {
    "flash": (0.0, 0.5), "start": (0.5, 0.55), "copy": (0.55, 0.85), "test": (0.85, 0.9),
    "credentials": (0.9, 0.93), "finish": (0.93, 1.0),
}  # fmt: skip
"""Where each step begins and ends on the board's bar."""


class Terminal:
    """A `Display` on a terminal; without one (a pipe) only the lines that stay are printed."""

    def __init__(self, console: Console, total: int, done: int) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal,
        )
        self._list = self._progress.add_task("units", total=total, completed=done)
        self._board = self._progress.add_task("waiting", total=100)
        self._said = ""

    def __enter__(self) -> "Terminal":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def step(self, unit: str, what: str, share: float) -> None:
        """Move the board's bar."""
        start, end = _SHARE[what]
        self._said = ""
        self._progress.update(
            self._board,
            description=f"{unit}: {what}",
            completed=100 * (start + (end - start) * share),
        )

    def waiting(self, what: str) -> None:
        """Say it on the bar, and once on a terminal that has none."""
        self._progress.update(self._board, description=what, completed=0)
        if what != self._said and not self._console.is_terminal:
            self.note(what)
        self._said = what

    def note(self, what: str) -> None:
        """Print a line that stays."""
        self._console.print(escape(what), soft_wrap=True, highlight=False)

    def made(self, label: Label, svg: Path) -> None:
        """Print the label's line and count the unit."""
        self._progress.update(self._list, advance=1)
        self.note(f"made    {label.text()}  label: {svg}")

    def failed(self, unit: str, error: BoardError) -> None:
        """Print what happened, what was kept and what to do."""
        self.note(f"FAILED  {unit or 'board'} ({error.step}): {error.told()}")
