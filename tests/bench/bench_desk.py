"""A desk with everything going on at once: how long a press, a card and a verdict take.

The real firmware on the MicroPython VM with the chips' models, mosquitto, relay and director as
processes on SQLite with `synchronous=FULL`. Cards are polled, radar frames come in, a backlog is
being sent, and the display changes eight times a second.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from sim.unit import SimUnit
from sim.vm import ROOT
from tests.bench.row import Row, percentile
from tests.e2e.road import HEADSET, KEY, SITE, road_of_its_own

TIMES = 100
PROBE = ROOT / "tests" / "bench" / "on_vm" / "probe.py"
MEASURES = (
    ("press to ring and click", "contact", "felt", 50),
    ("card in the field to UID read", "card", "uid", 100),
    ("tap to the host's verdict", "card", "verdict", 200),
)
"""What, from which word of the probe, to which, and its limit in milliseconds."""

MEGABYTE = 1_000_000


def rows() -> Iterator[Row]:
    """Medians and 99th percentiles of a hundred of each; the memory of the unit's process."""
    with road_of_its_own() as where:
        said, memory = asyncio.run(_desk(where.folder, where.broker.port))
    for what, begin, end, limit in MEASURES:
        took = _between(said, begin, end)
        assert len(took) >= TIMES * 0.9, f"{what}: only {len(took)} of {TIMES} were seen"
        for part, value in (("median", median(took)), ("99th percentile", percentile(took, 99))):
            yield Row(name=f"{what}, {part}", value=value, unit="ms", limit=limit)
    unanswered = sum(1 for word, _ in said if word == "provisional")
    yield Row(name="taps without a verdict in time", value=unanswered, unit=f"of {TIMES}")
    yield Row(name="memory of one more unit, unshared", value=memory / MEGABYTE, unit="MB", limit=8)


async def _desk(folder: Path, port: int) -> tuple[list[tuple[str, int]], int]:
    """What the probe said, and the memory that the process shares with no other, in bytes."""
    said: list[tuple[str, int]] = []
    unit = SimUnit(
        folder=folder / "a1",
        broker=("127.0.0.1", port),
        site=SITE,
        unit="a1",
        site_key=KEY,
        firmware=_firmware(folder / "probed"),
        heap="512k",
    )
    await unit.start()
    try:
        with unit.watch() as events:
            listening = asyncio.create_task(_listen(events, said))
            await asyncio.sleep(2)
            await _use(unit)
            memory = psutil.Process(unit.pid).memory_full_info().uss
            listening.cancel()
    finally:
        await unit.stop()
    return said, memory


async def _use(unit: SimUnit) -> None:
    """Presses and taps at times that follow no beat of the firmware's."""
    draw = random.Random(1)
    await unit.radar("still", 70)
    for number in range(TIMES):
        if number % 20 == 0:
            print(f"  {number} of {TIMES} presses and taps", flush=True)
        await unit.press(60)
        await asyncio.sleep(draw.uniform(0.05, 0.15))
        await unit.tap(HEADSET, ms=150 + draw.randrange(100))
        # Away for five polls and more, or it would be the same tap.
        await asyncio.sleep(draw.uniform(0.35, 0.45))


async def _listen(events: "asyncio.Queue[dict[str, object]]", said: list[tuple[str, int]]) -> None:
    while True:
        line = str((await events.get()).get("console", ""))
        if line.startswith("probe "):
            _, word, at = line.split()
            said.append((word, int(at)))


def _between(said: list[tuple[str, int]], begin: str, end: str) -> list[float]:
    """Milliseconds from each `begin` to the first `end` behind it, before the next `begin`."""
    took = []
    began: int | None = None
    for word, at in said:
        if word == begin:
            began = at
        elif word == end and began is not None:
            took.append((at - began) / 1000)
            began = None
    return took


def _firmware(folder: Path) -> Path:
    """The project's firmware with the probe before its main.py."""
    folder.mkdir()
    for part in (ROOT / "firmware").iterdir():
        if part.name != "main.py":
            (folder / part.name).symlink_to(part)
    (folder / "main.py").write_text(PROBE.read_text() + (ROOT / "firmware/main.py").read_text())
    return folder
