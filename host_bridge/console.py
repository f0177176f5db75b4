"""What all commands share: options, exit codes, and opening what they need.

Exit codes: 0 done; 1 what was asked about is not as it should be; 2 wrong usage or settings;
3 the database; 4 the broker; 5 stopped with facts in hand, which the units will send again.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from host_bridge import settings as configuration
from host_bridge.settings import Settings
from host_bridge.store import Store

AMISS, USAGE, DATABASE, BROKER, IN_HAND = 1, 2, 3, 4, 5

# No markup: what is printed comes from wires and files.
out = Console(markup=False, highlight=False)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The settings; else ./chequer.toml if it exists."
    ),
]
Site = Annotated[
    str | None, typer.Option("--site", help="Which site; else the one of the settings.")
]


def settings_of(config: Path | None) -> Settings:
    """The settings.

    Raises:
        SettingsError: they can't be used.
    """
    return configuration.load(config)


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store, for as long as the block lasts."""
    store = Store.open(settings.store.url)
    try:
        yield store
    finally:
        store.close()


def utc(milliseconds: int) -> str:
    """A time as people and programs read it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fail(reason: object, code: int) -> NoReturn:
    """One sentence, and the end."""
    sys.stderr.write(f"{reason}\n")
    raise SystemExit(code)
