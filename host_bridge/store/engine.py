"""Opening a database, its errors, and its migrations."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import alembic.command
import alembic.config
import alembic.script
import alembic.util
import psycopg
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from host_bridge.store import postgres, sqlite, told
from host_bridge.store.errors import BatchRefusedError, SchemaError, StoreUnavailableError

_NEVER = ("22", "23", "54")
"""Classes of SQLSTATE that say that the data will never fit: data exception, integrity constraint
violation, program limit exceeded."""

_CURRENT = "0007"
"""The form with which the tables of what is so now are filled: what fills them knows it only."""

_alembic = threading.Lock()
"""Migrations speak to `alembic.op`, of which a process has one: each in its turn."""


def connect(url: str | sa.URL, *, patient: bool = False) -> sa.Engine:
    """An engine for the database; makes the folder that a SQLite file is to lie in.

    Args:
        url: an SQLAlchemy URL.
        patient: calls to a server may take as long as they like.

    Raises:
        SchemaError: the URL is none of ours.
        StoreUnavailableError: the folder can't be made.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise SchemaError("in the settings", "its URL can't be read") from error
    if parsed.get_backend_name() == "postgresql":
        return postgres.engine(parsed, patient=patient)
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return sqlite.engine(parsed)
    raise SchemaError(
        parsed.render_as_string(hide_password=True),
        "it is neither SQLite (sqlite:///path/to/file.db) nor PostgreSQL "
        "(postgresql+psycopg://user@host/database)",
    )


@contextlib.contextmanager
def translated(engine: sa.Engine) -> Iterator[None]:
    """Turn the database's errors into `StoreUnavailableError`."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        url = shown(engine)
        raise StoreUnavailableError(url, "all connections to it are in use") from error
    except (sa.exc.SQLAlchemyError, sqlite3.Error, psycopg.Error) as error:
        raise StoreUnavailableError(shown(engine), _reason(error)) from error


@contextlib.contextmanager
def refusing(engine: sa.Engine) -> Iterator[None]:
    """Turn what no other try can help into `BatchRefusedError`. For use within `translated`."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, psycopg.Error) as error:
        if _never_fits(error):
            raise BatchRefusedError(shown(engine), _reason(error)) from error
        raise
    except (UnicodeEncodeError, OverflowError) as error:
        # SQLite's driver says so in Python's own errors, without the value.
        raise BatchRefusedError(shown(engine), type(error).__name__) from error


def _never_fits(error: Exception) -> bool:
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_NEVER)
    # psycopg itself refuses text with NUL in it, before the server sees it.
    kinds = (psycopg.DataError, sqlite3.DataError, sqlite3.IntegrityError)
    return isinstance(cause, kinds)


def _reason(error: Exception) -> str:
    # The driver's first line only: SQLAlchemy's words would repeat the statement and its values,
    # and so would PostgreSQL's details.
    return str(getattr(error, "orig", None) or error).partition("\n")[0].rstrip(".")


def migrate(engine: sa.Engine, target: str = "head") -> list[str]:
    """Bring the database to a version's form, in one transaction.

    Args:
        engine: the database.
        target: a revision, `head` for this version's, `base` for an empty database. Going back
            deletes what only the newer form could hold.

    Returns:
        The revisions that were applied or taken back, in that order; empty when there was
        nothing to do.

    Raises:
        SchemaError: the database is of a newer version, or there is no such revision.
        StoreUnavailableError: it can't be reached or is locked.
    """
    config = _config()
    script = alembic.script.ScriptDirectory.from_config(config)
    goal = _goal(engine, script, target)
    with translated(engine):
        if current(engine) == goal:
            return []
        with engine.execution_options(writes="form").begin() as connection:
            # Read again under the lock: another process may have migrated meanwhile.
            before = MigrationContext.configure(connection).get_current_revision()
            known = [step.revision for step in script.walk_revisions()][::-1]
            if before is not None and before not in known:
                raise SchemaError(
                    shown(engine),
                    f"its form {before!r} is of a newer Chequer (this one knows {known[-1]!r}); "
                    "install that one",
                )
            config.attributes["connection"] = connection
            start, end = (known.index(each) + 1 if each else 0 for each in (before, goal))
            way = alembic.command.upgrade if start <= end else alembic.command.downgrade
            with _alembic:
                way(config, goal or "base")
            if start <= end:
                if _CURRENT in known[start:end]:
                    # Here and not in the migration: what fills them knows the newest form only.
                    told.fill(connection)
                return known[start:end]
            return known[end:start][::-1]


def _goal(engine: sa.Engine, script: alembic.script.ScriptDirectory, target: str) -> str | None:
    if target == "base":
        return None
    if target == "head":
        return script.get_current_head()
    if target in {step.revision for step in script.walk_revisions()}:
        return target
    raise SchemaError(shown(engine), f"this Chequer knows no form {target!r}")


def newest() -> str | None:
    """The revision that is this version's form."""
    return alembic.script.ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def shown(engine: sa.Engine) -> str:
    """The database's URL without its password."""
    return engine.url.render_as_string(hide_password=True)


def current(engine: sa.Engine) -> str | None:
    """The revision whose form the database has; None when it has none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def form_of(url: str) -> tuple[str | None, str | None]:
    """Which form the database has, None when it has none, and which one is this version's.

    Raises:
        SchemaError: the URL is none of ours.
        StoreUnavailableError: the database can't be reached.
    """
    engine = connect(url)
    try:
        with translated(engine):
            return current(engine), newest()
    finally:
        engine.dispose()


def bring_to(url: str, target: str) -> list[str]:
    """Bring the database at a URL to a revision's form, but not to `base`; see `migrate`."""
    if target == "base":
        raise SchemaError("in the settings", "going back to nothing would delete everything")
    engine = connect(url, patient=True)
    try:
        return migrate(engine, target)
    finally:
        engine.dispose()
