"""`python -m tests.bench [words]`: runs every benchmark (or those with a word in their name).

Prints a table, writes `var/bench.json`; exit code 1 if a limit is broken.
"""

import importlib
import json
import pkgutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

import tests.bench
from tests.bench.row import Row

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "var" / "bench.json"

sys.path.insert(0, str(ROOT / "firmware"))


def benchmarks(words: list[str]) -> list[str]:
    """The names of the modules to run."""
    names = [found.name for found in pkgutil.iter_modules(tests.bench.__path__)]
    return [
        name
        for name in sorted(names)
        if name.startswith("bench_") and (not words or any(word in name for word in words))
    ]


def table(rows: list[Row]) -> Table:
    """A row for each measurement; what breaks its limit is marked by a word too."""
    shown = Table("benchmark", "value", "unit", "limit", "ratio")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        broken = row.ratio is not None and row.ratio > 1
        sign = "≥ " if row.more_is_better else "≤ "
        shown.add_row(
            row.name,
            f"{row.value:,.3g}" if row.value < 1000 else f"{row.value:,.0f}",
            row.unit,
            "" if row.limit is None else f"{sign}{row.limit:,g}",
            f"{ratio} BROKEN" if broken else ratio,
            style="red" if broken else "",
        )
    return shown


def report(rows: list[Row]) -> None:
    """Write what was measured where other programs can read it."""
    REPORT.parent.mkdir(exist_ok=True)
    measured = [
        {"name": r.name, "value": r.value, "unit": r.unit, "limit": r.limit, "ratio": r.ratio}
        for r in rows
    ]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    REPORT.write_text(json.dumps({"at": at, "rows": measured}, indent=1) + "\n")


def main(words: list[str]) -> int:
    """Run, print, write; how many limits are broken."""
    rows: list[Row] = []
    for name in benchmarks(words):
        print(f"{name} ...", file=sys.stderr)
        rows += importlib.import_module(f"tests.bench.{name}").rows()
    Console(width=110).print(table(rows))
    report(rows)
    return sum(1 for row in rows if row.ratio is not None and row.ratio > 1)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
