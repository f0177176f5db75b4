"""The commands `chequer move`, `chequer backup`, `chequer restore` and `chequer rebuild`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from host_bridge import store
from host_bridge.console import AMISS, Config, fail, opened, out, settings_of
from host_bridge.floor_plan import planned
from host_bridge.logs import printable
from host_bridge.store import Progress

SHOWN = 50
"""Differences that are shown at the most."""


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


def rebuild(
    config: Config = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if anything differs.")
    ] = False,
) -> None:
    """Make the tables of what is so now again from the facts, and tell what differed."""
    settings = settings_of(config)
    with opened(settings) as opened_store:
        if not check:
            opened_store.plan.put(settings.site.name, planned(settings.site))
    with _bar("checking" if check else "rebuilding") as progress:
        differences = store.rebuild(settings.store.url, progress, check=check)
    for each in differences[:SHOWN]:
        out.print(printable(str(each)))
    if len(differences) > SHOWN:
        out.print(f"... and {len(differences) - SHOWN} more")
    if check and differences:
        fail(f"{len(differences)} rows differ from the facts; chequer rebuild mends them.", AMISS)
    out.print("All is as the facts say." if not differences else f"{len(differences)} rows mended.")


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
