"""Copies of the firmware with something planted in them, and units that run them."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from sim.unit import SimUnit
from tests.firmware.host import SITE, UNIT

FIRMWARE = Path(__file__).parents[2] / "firmware"

Plant = tuple[str, str, str]
"""A file, a text that stands there once, and what stands there instead."""

FAST: tuple[Plant, ...] = (
    ("board/start.py", "_WATCHDOG_MS = const(30_000)", "_WATCHDOG_MS = const(4_000)"),
    ("desk_unit/watch.py", "_STUCK_MS = const(5_000)", "_STUCK_MS = const(1_000)"),
    ("desk_unit/unit.py", '("rfid", 60_000)', '("rfid", 6_000)'),
)
"""A watchdog that can be waited for. A reader that works says so every 32 polls, 2.3 s."""


def copy(folder: Path, *plants: Plant) -> Path:
    """The firmware's sources in a folder of their own."""
    target = folder / "firmware"
    shutil.copytree(FIRMWARE, target, ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache"))
    for plant in plants:
        put(target, plant)
    return target


def put(firmware: Path, plant: Plant) -> None:
    """Plant something."""
    name, old, new = plant
    text = (firmware / name).read_text()
    assert text.count(old) == 1, f"{name} does not have {old!r} once"
    (firmware / name).write_text(text.replace(old, new))


@contextlib.asynccontextmanager
async def unit(
    folder: Path, port: int, firmware: Path = FIRMWARE, heap: str = "224k"
) -> AsyncIterator[SimUnit]:
    """A unit with power, for a while."""
    started = SimUnit(
        folder=folder / "unit",
        broker=("127.0.0.1", port),
        site=SITE,
        unit=UNIT,
        site_key=bytes(range(16)),
        firmware=firmware,
        heap=heap,
    )
    await started.start()
    try:
        yield started
    finally:
        await started.stop()
