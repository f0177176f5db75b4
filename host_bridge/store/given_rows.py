"""Rows that are handed to a statement: the same statement on SQLite and on PostgreSQL.

SQLite gets them as parameters, `BLOCK` rows a step (sqlite.py says why steps count); taking JSON
apart costs it more than the rest. PostgreSQL gets one JSON text, in one round trip.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

BLOCK = 100
"""Rows in a statement on SQLite, which takes 32,766 parameters."""


class GivenRows:
    """A statement about rows; made once, run often."""

    def __init__(self, statement: str, *, packed: str = "", **columns: str) -> None:
        """Prepare the statement.

        Args:
            statement: SQL in which `{rows}` stands for a query that gives the rows, and `{packed}`
                for an aggregate, which makes one JSON text of many rows.
            packed: the aggregate's columns.
            columns: the names of a row's values in their order, with their SQL types.
        """
        self._statement = statement
        self._packed = packed
        self._columns = columns
        self._sqlite = lru_cache(maxsize=BLOCK)(self._with_values)
        self._postgres = sa.text(
            statement.format(
                rows=self._from_json(),
                packed=f"CAST(json_agg(json_build_array({packed})) AS text)",
            )
        )

    def run(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Run it with rows of text, numbers, truth values and None.

        Returns:
            The rows that it gives, none if it gives none.
        """
        if connection.dialect.name == "postgresql":
            named = {"rows": msgspec.json.encode(rows).decode()}
            return _given(connection.execute(self._postgres, named)) if rows else []
        found: list[Any] = []
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            values = tuple(chain.from_iterable(block))
            found += _given(connection.exec_driver_sql(self._sqlite(len(block)), values))
        return found

    def _with_values(self, count: int) -> str:
        one = f"({', '.join('?' * len(self._columns))})"
        names = ", ".join(f"column{n} AS {name}" for n, name in enumerate(self._columns, start=1))
        values = ", ".join([one] * count)
        return self._statement.format(
            rows=f"SELECT {names} FROM (VALUES {values})",  # noqa: S608 (our own names)
            packed=f"json_group_array(json_array({self._packed}))",
        )

    def _from_json(self) -> str:
        values = ", ".join(
            f"CAST(j.value ->> {place} AS {kind}) AS {name}"
            for place, (name, kind) in enumerate(self._columns.items())
        )
        return f"SELECT {values} FROM json_array_elements(CAST(:rows AS json)) AS j (value)"  # noqa: S608 (our own names)


def _given(result: sa.CursorResult[Any]) -> list[Any]:
    return list(result.all()) if result.returns_rows else []
