"""The list of units to make: a CSV file with the columns `unit` and, if wanted, `desk`."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from host_bridge.provision.errors import SetupError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
_COLUMNS = {"unit", "desk"}
_MAX_DESK = 32
_SHOWN = 10


@dataclass(frozen=True)
class Unit:
    """A unit to make: its name on the network, and the desk printed on its label (or "")."""

    name: str
    desk: str = ""


def load(path: Path) -> list[Unit]:
    """Read the list, in the file's order.

    Raises:
        SetupError: Names every wrong row (the first ten) by its line number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = [name.strip() for name in reader.fieldnames or []]
            if "unit" not in columns or len(set(columns)) != len(columns):
                raise _wrong(path, ["line 1: the header must name the column 'unit' once"])
            if unknown := sorted(set(columns) - _COLUMNS):
                raise _wrong(path, [f"line 1: unknown column: {', '.join(unknown)}"])
            reader.fieldnames = columns
            return _units(path, reader)
    except OSError as error:
        raise _wrong(path, [f"it can't be read ({error.strerror})"]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(path, [f"this is no CSV file in UTF-8 ({error})"]) from error


def _units(path: Path, reader: "csv.DictReader[str]") -> list[Unit]:
    units: list[Unit] = []
    lines: dict[str, int] = {}
    wrong: list[str] = []
    for row in reader:
        name = (row.get("unit") or "").strip()
        desk = (row.get("desk") or "").strip()
        if None in row:
            wrong.append(f"line {reader.line_num}: more cells than columns")
        elif not _NAME.match(name):
            wrong.append(
                f"line {reader.line_num}: {name[:40]!r} is no unit name (1 to 32 of a-z, 0-9 "
                "and -, not beginning with -)"
            )
        elif name in lines:
            wrong.append(f"line {reader.line_num}: {name} is already in line {lines[name]}")
        elif len(desk) > _MAX_DESK or not desk.isprintable():
            wrong.append(f"line {reader.line_num}: a desk has at most {_MAX_DESK} characters")
        else:
            lines[name] = reader.line_num
            units.append(Unit(name, desk))
    if wrong:
        raise _wrong(path, wrong)
    if not units:
        raise _wrong(path, ["it lists no unit"])
    return units


def _wrong(path: Path, rows: list[str]) -> SetupError:
    more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return SetupError(
        f"{path}: {'; '.join(rows[:_SHOWN])}{more}.", todo="Correct the file and start again."
    )
