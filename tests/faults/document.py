"""The table of `docs/operations.md`, from a run."""

from pathlib import Path

from tests.faults.cell import Result

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def markdown(results: list[Result]) -> str:
    """A row for each fault; a column for each database and number of relays."""
    columns = sorted({(row.database, row.relays) for row in results}, reverse=True)
    columns.sort(key=lambda column: (column[0] != "sqlite", column[1]))
    heads = [f"{DATABASES[kind]}, {relays} relay{'s' * (relays > 1)}" for kind, relays in columns]
    lines = [
        "| fault | " + " | ".join(heads) + " | lost | doubled |",
        "|---" * (len(heads) + 3) + "|",
    ]
    for fault in dict.fromkeys(row.fault for row in results):
        rows = {(row.database, row.relays): row for row in results if row.fault == fault}
        times = [_time(rows[column]) if column in rows else "" for column in columns]
        lost, doubled = (
            sum(getattr(row, what) for row in rows.values()) for what in ("lost", "doubled")
        )
        lines.append(f"| {fault} | " + " | ".join(times) + f" | {lost} | {doubled} |")
    return "\n".join(lines)


def _time(row: Result) -> str:
    if not row.good:
        return "broken"
    return f"{row.stood_still_s:.1f} / {row.recovered_s:.1f}"


def write(results: list[Result]) -> None:
    """Put the table in its place on the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(results)}\n{END}{after}", encoding="utf-8")
