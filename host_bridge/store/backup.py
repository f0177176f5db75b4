"""Backups. A backup is a SQLite file, whichever database it is of, and fits either of them."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from host_bridge.store.engine import connect, current, migrate, newest, translated
from host_bridge.store.errors import TransferError
from host_bridge.store.transfer import Progress, fill, must_be_current

PAGES = 2_000
"""Pages of a SQLite file that are copied between two calls of the progress."""


def back_up(url: str, file: Path, progress: Progress) -> None:
    """Write a consistent copy while everything goes on. The file appears when it is complete.

    It holds the names of the register, so only its owner may read it.

    Raises:
        TransferError: the file exists or can't be written, or the database has another form.
        StoreUnavailableError: the database can't be read.
    """
    if file.exists():
        raise TransferError(f"{file} exists already")
    part = file.with_name(file.name + ".part")
    engine = connect(url, patient=True)
    try:
        must_be_current(engine)
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        if engine.dialect.name == "sqlite":
            _copy_pages(engine, part, progress)
        else:
            _copy_rows(engine, part, progress)
        _seal(part)
        part.rename(file)
        _flush(file.absolute().parent)
    except OSError as error:
        raise TransferError(f"{file} can't be written: {error.strerror}") from error
    finally:
        engine.dispose()
        for ending in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + ending).unlink(missing_ok=True)


def restore(url: str, file: Path, progress: Progress) -> int:
    """Fill a database that holds nothing from a backup, perhaps one of an older form.

    Returns:
        The number of rows.

    Raises:
        TransferError: the file is no backup or is damaged, or the database holds something.
        SchemaError: the URL is none of ours, or the backup is of a newer version.
        StoreUnavailableError: the database can't be used.
    """
    _check(file)
    with tempfile.TemporaryDirectory(prefix="chequer-") as folder:
        source = _read_only(file)
        with translated(source):
            old = current(source) != newest()
        if old:
            source.dispose()
            copy = Path(folder) / "backup"
            shutil.copyfile(file, copy)
            source = connect(_url(copy))
            migrate(source)
        target = connect(url, patient=True)
        try:
            with translated(source), source.begin() as reading:
                return fill(reading, target, progress)
        finally:
            source.dispose()
            target.dispose()


def _copy_pages(engine: sa.Engine, part: Path, progress: Progress) -> None:
    with translated(engine), engine.connect() as connection:
        # Within a transaction that has read: else each commit of a relay would begin it anew.
        connection.exec_driver_sql("SELECT count(*) FROM alembic_version").all()
        driver: Any = connection.connection.driver_connection
        copy = sqlite3.connect(part)
        try:
            driver.backup(
                copy, pages=PAGES, progress=lambda _, left, total: progress(total - left, total)
            )
        finally:
            copy.close()


def _copy_rows(engine: sa.Engine, part: Path, progress: Progress) -> None:
    copy = connect(_url(part))
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with translated(engine), snapshot.begin() as reading:
            fill(reading, copy, progress)
    finally:
        copy.dispose()


def _seal(part: Path) -> None:
    """Make it one whole file that is on the disk, and see whether it can be read."""
    with sqlite3.connect(part) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    _check(part)
    _flush(part)


def _check(file: Path) -> None:
    if not file.is_file():
        raise TransferError(f"{file} is no file")
    engine = _read_only(file)
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").one()
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error)
        raise TransferError(f"{file} is no backup of Chequer ({reason})") from error
    finally:
        engine.dispose()
    if found != "ok":
        raise TransferError(f"{file} is damaged ({found})")


def _read_only(file: Path) -> sa.Engine:
    address = f"file:{quote(str(file.absolute()))}"
    query = {"mode": "ro", "uri": "true"}
    return sa.create_engine(sa.URL.create("sqlite", database=address, query=query))


def _url(file: Path) -> sa.URL:
    """The file's URL, whatever characters are in its name."""
    return sa.URL.create("sqlite", database=str(file))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
