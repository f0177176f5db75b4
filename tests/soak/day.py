"""A busy day of one unit in virtual time, with the memory that an ESP32 has.

`python -m tests.soak.day` prints the heap hour by hour and draws it into `var/soak-heap.svg`, with
the usual chips unless others are named (`--reader pn532 --presence ld2410,pir,seat-switch`).
The firmware is the built one; it gets 224 KiB, the 112 KiB of the chip with words of 64 bits. What
the simulator needs (chip models, `machine`, broker and host) is measured before the firmware
begins, and added.

Two things of a VM with 64 bits are set right by calculation:

- MicroPython keeps names in tables that double (20, 40, 80 ... entries). The simulator's names
  fill the first ones, so the firmware would pay for a larger one than on the chip. It is charged
  those that its own names need.
- Bytecode and texts are as long on the chip as here, so the chip has room for less than half of
  what fits here. `ON_CHIP` is the measured ratio, see docs/firmware.md, "Memory".
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).parents[2]
USUAL = ("mfrc522", "ld2410")
ALL = ("pn532", "ld2410,pir,seat-switch")
"""Reader and presence sensors: the usual ones, and those that take most memory."""

CAP = 224 * 1024
"""The firmware's share of the heap, in bytes."""
CHIP = 112 * 1024
"""The chip's heap, in bytes."""
ON_CHIP = 0.66
"""Bytes on a VM with words of 32 bits for each byte on one with 64."""

_ENTRY = 11
"""Bytes of a name in its table: pointer, hash and length."""
_FIRST_TABLE = 20

HEAD = "hour    used   free  on chip  names  stored"
"""What stands above the table of hours."""

_POOLS = r".*?n_pool=(\d+), n_qstr=(\d+)"
_SHARE = r"share (\d+)" + _POOLS
_HOUR = r"hour (\d+) used (\d+) free \d+ facts (\d+)" + _POOLS
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
    facts: int
    names: int
    """Names of the firmware; each that comes in a day stays for ever."""

    @property
    def free(self) -> float:
        """The free part of `CAP`."""
        return 1 - self.used / CAP

    @property
    def free_on_chip(self) -> float:
        """The free part of `CHIP`, calculated."""
        return 1 - self.used * ON_CHIP / CHIP


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
        return min(hour.free for hour in self.hours)

    @property
    def free_on_chip(self) -> float:
        """The same on the chip, calculated."""
        return min(hour.free_on_chip for hour in self.hours)


def live(
    hours: int,
    firmware: Path,
    tell: Callable[[Hour], object] = lambda _: None,
    chips: tuple[str, str] = USUAL,
) -> Day:
    """Let a unit live.

    Raises:
        UnitFailedError: It ran out of memory, reset itself, or ended in another way.
    """
    day = Day()
    with tempfile.TemporaryDirectory() as folder:
        lines = " ".join(_run(_AMPLE, firmware, folder, 0, *chips))
        day.share, *before = _numbers(lines, _SHARE)
    last: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for line in _run(CAP + day.share, firmware, folder, hours, *chips):
            last = [*last[-9:], line]
            if line.startswith("qstr ") and last[-2:-1] and last[-2].startswith("hour "):
                number, used, facts, *after = _numbers(" ".join(last[-2:]), _HOUR)
                used += _tables(before, after) - day.share
                day.hours.append(Hour(number, used, facts, after[1] - before[1]))
                tell(day.hours[-1])
            elif line.startswith("done "):
                words = line.split()[1:]
                day.figures = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    if not day.figures:
        raise UnitFailedError("\n".join(last))
    return day


def _numbers(text: str, pattern: str) -> list[int]:
    found = re.search(pattern, text, re.DOTALL)
    if not found:
        raise UnitFailedError(text)
    return [int(number) for number in found.groups()]


def _tables(before: list[int], after: list[int]) -> int:
    """Bytes by which the tables that the firmware's names need exceed those that it has got.

    Args:
        before: Tables and names when the firmware begins.
        after: The same at the end.
    """
    got = sum(_FIRST_TABLE << i for i in range(before[0], after[0]))
    need = size = _FIRST_TABLE
    while need < after[1] - before[1]:
        size *= 2
        need += size
    return (need - got) * _ENTRY


def _run(heap: int, firmware: Path, folder: str, hours: int, *chips: str):  # type: ignore[no-untyped-def]
    if (firmware / "a.bundle").exists():
        shutil.copytree(firmware, folder, dirs_exist_ok=True)
    micropython = Path(sys.executable).with_name("micropython")
    command = [micropython, "-X", f"heapsize={heap}", _SCRIPT, firmware, folder, str(hours)]
    command += chips
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield from process.stdout


def draw(day: Day, path: Path) -> None:
    """A picture of the free heap, hour by hour, as SVG."""
    wide, high, least = 640, 240, 0.25
    step = wide / max(len(day.hours), 1)

    def line(values: list[float], colour: str) -> str:
        points = " ".join(
            f"{step * (i + 0.5):.1f},{high * (1 - v):.1f}" for i, v in enumerate(values)
        )
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'

    free = [hour.free for hour in day.hours]
    on_chip = [hour.free_on_chip for hour in day.hours]
    words = (
        f"free heap, hour 1 to {len(day.hours)}: {free[-1]:.1%} here, {on_chip[-1]:.1%} on the chip"
    )
    limit = high * (1 - least)
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}">',
        "<style>text { font-family: sans-serif }</style>",
        f'<rect width="{wide}" height="{high}" fill="#fff" stroke="#999"/>',
        f'<line x2="{wide}" y1="{limit}" y2="{limit}" stroke="#c00"/>',
        f'<text x="8" y="{limit - 4}" font-size="12" fill="#c00">{least:.0%}</text>',
        f'<text x="8" y="18" font-size="14">{words}</text>',
        line(free, "#06c"),
        line(on_chip, "#f80"),
        "</svg>\n",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(parts), encoding="utf-8")


def show(hour: Hour) -> None:
    """Print a row of the table."""
    print(
        f"{hour.number:4} {hour.used:7,} {hour.free:6.1%} {hour.free_on_chip:8.1%}"
        f" {hour.names:6} {hour.facts:7}",
        flush=True,
    )


def main(
    hours: Annotated[int, typer.Option(min=1, help="How many simulated hours.")] = _DAY,
    firmware: Annotated[Path, typer.Option(help="What `make firmware` has built.")] = ROOT
    / "build"
    / "firmware",
    reader: Annotated[str, typer.Option(help="mfrc522 or pn532.")] = USUAL[0],
    presence: Annotated[str, typer.Option(help="ld2410, pir, seat-switch; with commas.")] = USUAL[
        1
    ],
) -> None:
    """Live a day at a desk on the MicroPython VM in 224 KiB of heap; print it hour by hour."""
    print(f"heap of the firmware: {CAP:,} bytes\n{HEAD}")
    day = live(hours, firmware.resolve(), show, (reader, presence))
    draw(day, ROOT / "var" / "soak-heap.svg")
    print(f"simulator's own share: {day.share:,} bytes (not counted above)")
    print(f"growth from the first hour to the last: {day.growth:,} bytes; {day.figures}")


if __name__ == "__main__":
    typer.run(main)
