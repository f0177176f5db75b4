"""A wall clock for the host's processes that a test may set wrong while they run."""

from pathlib import Path

JUMP = Path(__file__).parent / "jump"
"""What a process reads at its start when this is in its PYTHONPATH."""

DAY_S = 86_400


class Clock:
    """The file by which the clock is handed in; right at first."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.write_bytes(bytes(8))

    def environment(self) -> dict[str, str]:
        """What a process needs that is to go by this clock."""
        return {"PYTHONPATH": str(JUMP), "CHEQUER_TEST_CLOCK": str(self._file)}

    def jump(self, seconds: float) -> None:
        """Be wrong by so much, from now on; 0 for right."""
        # In place: the processes have this very file mapped into their memory.
        with self._file.open("r+b") as opened:
            opened.write(int(seconds * 1e9).to_bytes(8, "little", signed=True))
