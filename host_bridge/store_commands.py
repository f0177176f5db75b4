"""The commands `chequer move`, `chequer backup` and `chequer restore`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from host_bridge import store
from host_bridge.console import Config, out, settings_of
from host_bridge.store import Progress


def move(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="A database that holds nothing.")],
    config: Config = None,
) -> None:
    """Copy everything to another database, all of it or nothing; the old one stays as it is."""
    url = settings_of(config).store.url
    with _bar("moving") as progress:
        count = store.move(url, to, time.time_ns() // 1_000_000, progress)
    out.print(f"{count} rows were moved and counted. Now name the new database in the settings.")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist yet.")],
    config: Config = None,
) -> None:
    """Write a consistent copy of the database to a file, while everything goes on."""
    url = settings_of(config).store.url
    with _bar("backing up") as progress:
        store.back_up(url, file, progress)
    out.print(f"{file} is complete.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `chequer backup` wrote.")],
    config: Config = None,
) -> None:
    """Fill a database that holds nothing from a backup."""
    url = settings_of(config).store.url
    with _bar("restoring") as progress:
        count = store.restore(url, file, progress)
    out.print(f"{count} rows were restored and counted.")


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
