"""The quickest and most telling cells of `make test-faults`, and that the table would tell."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import __main__ as program
from tests.faults.cell import Result, run
from tests.faults.disk import DiskError
from tests.faults.document import markdown
from tests.faults.faults import FAULTS, Fault
from tests.faults.ground import Ground, Kind
from tests.services import Postgres

CELLS: list[tuple[str, Kind, int]] = [
    ("relay dies: relay.after-commit", "sqlite", 3),
    ("relay hangs, 3 s", "postgresql", 3),
    ("everything dies at once", "postgresql", 3),
    ("disk full, 3 s", "sqlite", 1),
    ("disk full, 3 s", "postgresql", 1),
    ("no connection to be had, 3 s", "postgresql", 1),
    ("clock jumps", "sqlite", 1),
    ("bad input at speed", "sqlite", 1),
]

Cell = Callable[[Fault, Kind, int], Result]


@pytest.fixture
def cell(request: pytest.FixtureRequest, tmp_path: Path) -> Cell:
    def of(fault: Fault, kind: Kind, workers: int) -> Result:
        server: Postgres | None = None
        if kind == "postgresql":
            server = request.getfixturevalue("postgres")
        try:
            return run(fault, workers, tmp_path, server, facts=2_000, rate=500)
        except DiskError as error:
            pytest.skip(str(error))

    return of


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "workers"), CELLS)
def test_a_fault_loses_nothing_and_doubles_nothing(
    cell: Cell, name: str, kind: Kind, workers: int
) -> None:
    (fault,) = (each for each in FAULTS if each.name == name)
    result = cell(fault, kind, workers)
    assert result.good, result
    assert result.recovered_s is not None


def falsify(ground: Ground) -> None:
    """One fact vanishes, another is there twice: in another month, where the index allows it."""
    with ground.connect() as connection:
        connection.execute("DELETE FROM facts WHERE unit = 'u1' AND lane = 'ordinary' AND seq = 1")
        columns = "site, unit, boot, lane, seq, type, time_ms, sure, body"
        connection.execute(
            f"INSERT INTO facts (id, received_ms, {columns})"
            f" SELECT -id, received_ms + 40 * 86400000::bigint, {columns} FROM facts"
            " WHERE unit = 'u2' AND lane = 'ordinary' AND seq = 1".encode()
        )


@pytest.mark.slow
def test_a_fact_that_is_lost_and_one_that_is_doubled_show_in_the_table(cell: Cell) -> None:
    result = cell(Fault("falsified", falsify), "postgresql", 1)
    assert (result.lost, result.doubled, result.good) == (1, 1, False)
    assert "| broken |" in markdown([result])


def test_the_program_ends_with_one_unless_every_cell_is_good(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def down(kind: Kind, todo: list[program.Cell], **_: object) -> list[Result]:
        return [program._failed(fault, kind, n, 5, OSError("no disk")) for fault, n in todo]

    monkeypatch.setattr(program, "down", down)
    monkeypatch.setattr(program, "REPORT", tmp_path / "faults.json")
    assert program.main(["broker dies"]) == 4
    assert (tmp_path / "faults.json").read_text().count("did not come about") == 4


def test_every_fault_is_in_the_table_of_the_manual() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    for fault in FAULTS:
        assert f"| {fault.name} |" in page
