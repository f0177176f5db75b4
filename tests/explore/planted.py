"""Does the explorer find what we plant? `python -m tests.explore.planted [--seeds N] [--jobs N]`.

For each defect (with `--only N` for the Nth): seeds from 1 on, until one finds it; its story is
made short and printed. Takes some minutes. Exit code 1 when a defect was not found.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.explore.defects import DEFECTS, Defect, planted, simulate

_SECONDS = 3600.0
_FOUND = re.compile(
    r"seed (?P<seed>\d+) breaks .(?P<broken>[^”]+)”  \((?P<tried>\d+) stories"
    r".*short +(?P<length>\d+) sentences",
    re.DOTALL,
)


class Row(NamedTuple):
    """What came of a defect."""

    defect: str
    found: bool
    seed: str
    tried: str
    length: str
    broken: str


def search(defect: Defect, seeds: int, jobs: int, folder: Path) -> Row:
    """Explore a copy with this defect."""
    with planted(defect, folder) as copy:
        words = ("--explore", str(seeds), "--jobs", str(jobs), "--keep", str(folder))
        done = simulate(copy, *words, seconds=_SECONDS)
    match = _FOUND.search(done.stdout)
    if not match:
        return Row(
            defect.name, False, "-", str(seeds), "-", done.stdout[-300:] + done.stderr[-900:]
        )
    return Row(defect.name, True, match["seed"], match["tried"], match["length"], match["broken"])


def main(words: list[str]) -> int:
    """Search for each, and print a table."""
    options = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    rows = []
    only = options.get("--only")
    for defect in DEFECTS[only - 1 : only] if only else DEFECTS:
        with tempfile.TemporaryDirectory(prefix="chequer-planted-") as folder:
            row = search(
                defect, options.get("--seeds", 500), options.get("--jobs", 2), Path(folder)
            )
            rows.append(row)
            print(f"{row.defect}: {'seed ' + row.seed if row.found else 'NOT FOUND'}", flush=True)
            for story in Path(folder).glob("*.yaml"):
                print(story.read_text(encoding="utf-8"), flush=True)
    print("| defect | seed | stories told | sentences of the short one | says |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.defect} | {row.seed} | {row.tried} | {row.length} | {row.broken} |")
    return 0 if all(row.found for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
