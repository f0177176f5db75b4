"""The host's database, looked at and locked from outside, past the host."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from sim.scenario.errors import StoryError

_PATIENCE_S = 5.0


class Database:
    """The SQLite file of a host."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask; no rows when the file or the tables aren't there yet."""
        try:
            with contextlib.closing(self._open("ro")) as store:
                return store.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []

    async def lock(self, seconds: float) -> None:
        """Keep everybody from writing.

        Raises:
            StoryError: the lock could not be had.
        """
        try:
            # One thread opens, another closes: asyncio's threads are whichever is free.
            with contextlib.closing(self._open("rw")) as store:
                await asyncio.to_thread(store.execute, "BEGIN IMMEDIATE")
                await asyncio.sleep(seconds)
                store.rollback()
        except sqlite3.Error as error:
            raise StoryError(f"the database could not be locked: {error}") from error

    def _open(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{self.file}?mode={mode}",
            uri=True,
            timeout=_PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,
        )
