"""Rows that are handed to a statement as one JSON text, which the database itself takes apart.

One parameter and one step, however many rows; and the same statement on SQLite and PostgreSQL.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

_SOURCE = {
    "sqlite": "json_each(:rows) AS j",
    "postgresql": "json_array_elements(CAST(:rows AS json)) AS j (value)",
}


class JsonRows:
    """A statement about rows; made once, run often."""

    def __init__(self, statement: str, **columns: str) -> None:
        """Prepare the statement.

        Args:
            statement: SQL in which `{rows}` stands for a query that gives the rows.
            columns: the names of a row's values in their order, with their SQL types.
        """
        values = ", ".join(
            f"CAST(j.value ->> {place} AS {kind}) AS {name}"
            for place, (name, kind) in enumerate(columns.items())
        )
        self._statements = {
            dialect: sa.text(statement.format(rows=f"SELECT {values} FROM {source}"))  # noqa: S608 (our own)
            for dialect, source in _SOURCE.items()
        }

    def run(
        self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]
    ) -> sa.CursorResult[Any]:
        """Run it with rows: text, numbers, truth values and None."""
        statement = self._statements[connection.dialect.name]
        return connection.execute(statement, {"rows": msgspec.json.encode(rows).decode()})
