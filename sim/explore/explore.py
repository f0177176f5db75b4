"""Many seeds on all cores, and the first story that goes wrong made short."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path

import msgspec

from sim.explore.chance import plan
from sim.explore.plan import Plan, scenario
from sim.explore.shrink import MOST, Shrunk, shrunk
from sim.explore.trial import Trial, tried

Tell = Callable[[int], None]
"""Told how many are done."""


class Finding(msgspec.Struct, frozen=True):
    """A story that goes wrong, and its short form.

    Attributes:
        first: what came of the whole story.
        shrunk: its short form.
        last: what came of that.
        tried: how many seeds were told up to this one, itself among them.
    """

    first: Trial
    shrunk: Shrunk
    last: Trial
    tried: int


def trial(seed: int) -> Trial:
    """Tell a seed's story."""
    return tried(plan(seed))


async def first_broken(
    pool: Executor, seeds: Iterable[int], jobs: int, done: Callable[[Trial], None]
) -> Trial | None:
    """The lowest seed whose story goes wrong; seeds after it are not begun any more.

    Args:
        pool: processes of their own for the stories.
        seeds: in order.
        jobs: how many at the same time.
        done: told of every story that has been told.
    """
    loop, broken = asyncio.get_running_loop(), list[Trial]()
    waiting = iter(seeds)

    async def work() -> None:
        for seed in waiting:
            result = await loop.run_in_executor(pool, trial, seed)
            done(result)
            if result.broken:
                broken.append(result)
            if broken:
                return

    await asyncio.gather(*(work() for _ in range(jobs)))
    return min(broken, key=lambda each: each.seed, default=None)


def shorten(pool: Executor, first: Trial, told: Tell, most: int = MOST) -> tuple[Shrunk, Trial]:
    """The short form of a story that went wrong, and what came of it. Blocks."""
    count = 0
    last = first

    def fails(shorter: Plan) -> bool:
        nonlocal count, last
        count += 1
        told(count)
        result = pool.submit(tried, shorter).result()
        if first.broken not in result.wrong:
            return False
        last = result
        return True

    return shrunk(plan(first.seed), fails, most), last


def write(finding: Finding, folder: Path) -> Path:
    """The short story as a scenario file, which says what broke."""
    broken, seed = finding.first.broken, finding.first.seed
    file = folder / f"explore-{seed}.yaml"
    remarks = [
        f"Found by `chequer simulate --explore 1 --seed {seed}`, then made shorter.",
        *(
            line
            for sentence, seen in finding.last.wrong.items()
            for line in (f"Broken: {sentence}.", f"Seen:   {_line(seen)}")
        ),
        "",
        f"chequer simulate {file.name} --virtual",
    ]
    title = f"Seed {seed} breaks - {broken}"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(scenario(finding.shrunk.plan, title, remarks), encoding="utf-8")
    return file


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
