"""A busy day of one unit in virtual time, with the memory that an ESP32 has.

`python -m tests.soak.day [hours] [firmware]` prints the heap hour by hour. The firmware is the
built one; it gets 224 KiB, which with pointers of 64 bits are the 112 KiB of the chip. What the
simulator needs (chip models, `machine`, broker and host) is measured before the firmware begins,
and added.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
CAP = 224 * 1024
"""The firmware's share of the heap, in bytes."""

_SCRIPT = ROOT / "tests" / "soak" / "on_vm" / "live.py"
_AMPLE = 4 * 1024 * 1024
_DAY = 24


class UnitFailedError(Exception):
    """The unit did not live through its day. The message has its last lines."""


@dataclass
class Hour:
    """The heap at the end of an hour, after a collection, in bytes; the simulator left out."""

    number: int
    used: int
    free: int
    facts: int


@dataclass
class Day:
    """What came of it."""

    share: int = 0
    hours: list[Hour] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def growth(self) -> int:
        """Bytes of heap in use at the end beyond those after the first hour."""
        return self.hours[-1].used - self.hours[0].used

    @property
    def free(self) -> float:
        """The least part of the firmware's heap that was free at the end of an hour."""
        return min(hour.free for hour in self.hours) / CAP


def live(hours: int, firmware: Path, tell: Callable[[Hour], object] = lambda _: None) -> Day:
    """Let a unit live.

    Raises:
        UnitFailedError: It ran out of memory, reset itself, or ended in another way.
    """
    day = Day()
    with tempfile.TemporaryDirectory() as folder:
        for line in _run(_AMPLE, firmware, folder, 0):
            day.share = int(line.split()[1])
    last: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for line in _run(CAP + day.share, firmware, folder, hours):
            last = [*last[-9:], line]
            if line.startswith("hour "):
                numbers = [int(number) for number in re.findall(r"\d+", line)]
                numbers[1] -= day.share
                day.hours.append(Hour(*numbers))
                tell(day.hours[-1])
            elif line.startswith("done "):
                words = line.split()[1:]
                day.figures = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    if not day.figures:
        raise UnitFailedError("\n".join(last))
    return day


def _run(heap: int, firmware: Path, folder: str, hours: int):  # type: ignore[no-untyped-def]
    if (firmware / "a.bundle").exists():
        shutil.copytree(firmware, folder, dirs_exist_ok=True)
    micropython = Path(sys.executable).with_name("micropython")
    command = [micropython, "-X", f"heapsize={heap}", _SCRIPT, firmware, folder, str(hours)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield from process.stdout


def main() -> None:
    """Print the table."""
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else _DAY
    firmware = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "build" / "firmware"
    print(f"heap of the firmware: {CAP:,} bytes\nhour    used    free  free %  facts stored")
    day = live(hours, firmware.resolve(), _line)
    print(f"simulator's own share: {day.share:,} bytes (not counted above)")
    print(f"growth from the first hour to the last: {day.growth:,} bytes; {day.figures}")


def _line(hour: Hour) -> None:
    percent = 100 * hour.free / CAP
    print(
        f"{hour.number:4} {hour.used:7,} {hour.free:7,} {percent:6.1f} {hour.facts:6}", flush=True
    )


if __name__ == "__main__":
    main()
