"""Does the explorer find what we plant? `python -m tests.explore.planted [--seeds N] [--jobs N]`.

For each defect (with `--only N` for the Nth): seeds from 1 on, until one finds it. Its story is
made short, told again with the defect and without, and written to `tests/explore/short/`, from
where `make test` tells it. Takes some minutes. Exit code 1 when a defect was not found within the
seeds (500 without `--seeds`), or its short story does not show it.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.explore.defects import DEFECTS, SHORT, Defect, planted, simulate

_SECONDS = 3600.0
_FOUND = re.compile(
    r"seed (?P<seed>\d+) breaks .(?P<broken>[^”]+)”  \((?P<tried>\d+) stories"
    r"(?P<rest>.*short +(?P<length>\d+) sentences.*)",
    re.DOTALL,
)


class Row(NamedTuple):
    """What came of a defect; `shown` when its short story fails with it and passes without."""

    defect: str
    shown: bool
    seed: str = "-"
    tried: str = "-"
    length: str = "-"
    broken: str = "not found"


def search(defect: Defect, seeds: int, jobs: int, folder: Path) -> Row:
    """Explore a copy with this defect."""
    with planted(defect, folder) as copy:
        words = ("--explore", str(seeds), "--jobs", str(jobs), "--keep", str(folder))
        done = simulate(copy, *words, seconds=_SECONDS)
        match = _FOUND.search(done.stdout)
        print(done.stdout + done.stderr[-900:], flush=True)
        if not match:
            return Row(defect.name, shown=False, tried=str(seeds))
        (found,) = folder.glob("*.yaml")
        story = SHORT / defect.story
        story.write_text(found.read_text(encoding="utf-8"), encoding="utf-8")
        with_it = simulate(copy, str(story), "--virtual", seconds=_SECONDS)
    with planted(None, folder) as copy:
        without = simulate(copy, str(story), "--virtual", seconds=_SECONDS)
    return Row(
        defect.name,
        shown=match["broken"] in with_it.stdout and without.returncode == 0,
        seed=match["seed"],
        tried=match["tried"],
        length=match["length"],
        broken=match["broken"],
    )


def main(words: list[str]) -> int:
    """Search for each, and print a table."""
    options = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    only = options.get("--only")
    seeds, jobs = options.get("--seeds", 500), options.get("--jobs", 2)
    rows = []
    for defect in DEFECTS[only - 1 : only] if only else DEFECTS:
        print(f"{defect.name}:", flush=True)
        with tempfile.TemporaryDirectory(prefix="chequer-planted-") as folder:
            rows.append(search(defect, seeds, jobs, Path(folder)))
    print("| defect | seed that finds it | breaks | sentences of its short story | told again |")
    print("|---|---|---|---|---|")
    for row in rows:
        again = "fails, and passes without the defect" if row.shown else "DOES NOT SHOW IT"
        print(f"| {row.defect} | {row.seed} | {row.broken} | {row.length} | {again} |")
    return 0 if all(row.shown for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
