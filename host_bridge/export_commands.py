"""`chequer export`: what is taken out of the database, into files."""

import os
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from host_bridge.console import USAGE, Config, fail, opened, out, settings_of
from host_bridge.contract.facts import MAX_TIME, MIN_TIME
from host_bridge.contract.recording import Entry, Head, rekeyed, write
from host_bridge.store import Store

app = typer.Typer(help="What is taken out of the database, into files.")

PAGE = 1_000

Moment = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        help="UTC, by the time of arrival.",
    ),
]


@app.callback()
def _group() -> None:
    """Keeps `facts` a word of its own while it is the only one."""


@app.command()
def facts(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl.gz", help="Must not exist.")],
    since: Moment = None,
    until: Moment = None,
    config: Config = None,
) -> None:
    """Record facts as they were received, for `python -m sim replay`.

    Hashes of tags are hashed once more, each day with another key, and the keys are forgotten:
    nobody can link the file to the site's register, or follow a person from day to day. There is
    no way to leave that out. Dead letters stay here: they may hold anything.
    """
    settings = settings_of(config)
    first, last = _unix_ms(since), _unix_ms(until)
    if first is not None and last is not None and first >= last:
        fail("--since must be earlier than --until; nothing was written.", USAGE)
    key = secrets.token_bytes(32)
    head = Head(since=first, until=last)
    part = file.with_name(file.name + ".part")
    with opened(settings) as store:
        if file.exists():
            fail(f"{file} exists already; nothing was written.", USAGE)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(part, flags, 0o600), "wb") as made:
                count = write(made, head, _entries(store, head, key))
            part.rename(file)
        except OSError as error:
            fail(f"{file} can't be written: {error.strerror}; nothing is left of it.", USAGE)
        finally:
            part.unlink(missing_ok=True)
    out.print(f"{count} facts are in {file}.")


def _entries(store: Store, head: Head, key: bytes) -> Iterator[Entry]:
    """The facts of the time, in the order in which they were committed, with a bar."""
    since, until = head.since or MIN_TIME, head.until or MAX_TIME
    newest, row_id = store.newest(), store.first_id_since(since) - 1
    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("facts", total=newest)
        while row_id < newest and (page := store.facts_after(row_id, PAGE)):
            for row in page:
                if row.id <= newest and since <= row.received_ms < until:
                    entry = Entry(
                        received=row.received_ms, site=row.site, lane=row.lane, fact=row.fact
                    )
                    yield rekeyed(entry, key)
            row_id = page[-1].id
            bar.update(task, completed=min(row_id, newest))


def _unix_ms(moment: datetime | None) -> int | None:
    """A time as given (UTC) in milliseconds, moved to the nearest that a fact can have."""
    if moment is None:
        return None
    given = round(moment.replace(tzinfo=UTC).timestamp() * 1000)
    return min(MAX_TIME, max(MIN_TIME, given))
