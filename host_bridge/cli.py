"""The command line.

Exit codes: 0 done; 1 what was asked about is not as it should be; 2 wrong usage or settings;
3 the database; 4 the broker; 5 stopped with facts in hand, which the units will send again.
"""

import importlib
import logging
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from host_bridge import settings as configuration
from host_bridge.provision.command import provision
from host_bridge.relay import Relay
from host_bridge.settings import Settings, SettingsError
from host_bridge.store import RegistryError, Store, StoreError, TagKind, bring_to
from host_bridge.store_commands import backup, move, restore
from host_bridge.transport.embedded import EmbeddedBroker, EmbeddedBrokerError

AMISS, USAGE, DATABASE, BROKER, IN_HAND = 1, 2, 3, 4, 5

app = typer.Typer(
    help="Chequer: headset, seat and one button.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
registry = typer.Typer(help="The register of tags: whose headset, badge or cleaner's card.")
dead_letters = typer.Typer(help="Messages that could not be understood, kept as they came.")
app.add_typer(registry, name="registry", no_args_is_help=True)
app.add_typer(dead_letters, name="dead-letters", no_args_is_help=True)
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


def main() -> None:
    """The console script: errors become one sentence and an exit code, here and nowhere else."""
    try:
        app()
    except (SettingsError, RegistryError) as error:
        _fail(error, USAGE)
    except StoreError as error:
        _fail(error, DATABASE)
    except EmbeddedBrokerError as error:
        _fail(error, BROKER)


@app.command()
def broker(config: Config = None) -> None:
    """Run the embedded MQTT broker, for this machine only."""
    settings = _settings(config)
    stopped = threading.Event()
    _on_signals(stopped.set)
    with EmbeddedBroker(settings.broker) as embedded:
        out.print(f"The broker listens on {embedded.where}; Ctrl-C ends it.")
        while not stopped.wait(0.5):
            if not embedded.running:
                raise EmbeddedBrokerError(embedded.where, "its process ended unexpectedly")


@app.command()
def relay(
    config: Config = None,
    name: Annotated[
        str,
        typer.Option(
            help="Stable, and of one running relay only: the broker keeps its sessions by it.",
        ),
    ] = "relay",
) -> None:
    """Take facts from the broker, commit them, acknowledge them."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise SettingsError("a relay's name is up to 32 of a-z, 0-9 and '-', a letter first")
    settings = _settings(config)
    with _store(settings) as store:
        worker = Relay(settings, store, name)
        _on_signals(worker.stop)
        left = worker.run()
    if left:
        _fail(
            f"Stopped with {left} facts in hand; nothing is lost, units send them again.", IN_HAND
        )


@app.command()
def serve(config: Config = None) -> None:
    """Serve the pages and decide what facts mean."""
    # Imported here: the other commands start faster without the web's libraries.
    importlib.import_module("host_bridge.web").serve(_settings(config))


@app.command()
def migrate(
    config: Config = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FORM", help="Back to an older Chequer's form, before installing it."
        ),
    ] = None,
) -> None:
    """Bring the database to this version's form (every command that opens it does so too)."""
    if to is not None:
        done = ", ".join(bring_to(_settings(config).store.url, to))
        out.print(f"Applied or taken back: {done}." if done else "It has that form already.")
        return
    with _store(_settings(config)) as store:
        done = ", ".join(store.applied)
        out.print(f"Applied: {done}." if done else "The database is up to date.")


@app.command()
def ledger(config: Config = None) -> None:
    """Show that every received fact is accounted for, and what is missing."""
    with _store(_settings(config)) as store:
        rows, gaps = store.ledger(), store.gaps()
    table = Table("worker", "received", "stored", "duplicates", "dead letters", "difference")
    for row in rows:
        figures = (row.received, row.stored, row.duplicates, row.dead_letters, row.difference)
        table.add_row(row.worker, *map(str, figures))
    out.print(table)
    if gaps:
        table = Table("site", "unit", "boot", "lane", "missing", "since")
        for gap in gaps:
            since = _utc(gap.since_ms)
            table.add_row(gap.site, gap.unit, str(gap.boot), gap.lane, str(gap.missing), since)
        out.print(table)
    if any(row.difference for row in rows):
        _fail("The ledger does not add up: facts are unaccounted for.", AMISS)


@app.command()
def demo(config: Config = None) -> None:
    """Run a simulated room of desk units on the real firmware, with the whole host."""
    command = [sys.executable, "-m", "sim", "demo"]
    if config is not None:
        command += ["--config", str(config)]
    # Ctrl-C reaches the simulator too, which ends in order; so wait for it. A handler, because
    # it does not pass on to the new process as an ignored signal would.
    signal.signal(signal.SIGINT, lambda *_: None)
    with subprocess.Popen(command) as process:  # noqa: S603 (our own words and a path)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        raise typer.Exit(process.wait())


app.command("provision")(provision)
for command in (move, backup, restore):
    app.command()(command)


@registry.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="tag,kind,holder[,status]")],
    config: Config = None,
    site: Site = None,
) -> None:
    """Take entries from a CSV file; all of them, or none if one makes no sense."""
    settings = _settings(config)
    with _store(settings) as store:
        count = store.registry.import_csv(site or settings.site.name, file)
    out.print(f"{count} entries are in the register.")


@registry.command()
def issue(
    tag: Annotated[str, typer.Argument(help="The tag's hash, 32 hexadecimal digits.")],
    kind: Annotated[str, typer.Argument(help="headset, badge or cleaner")],
    holder: Annotated[str | None, typer.Option(help="The holder's name.")] = None,
    config: Config = None,
    site: Site = None,
) -> None:
    """Hand a tag to somebody."""
    settings = _settings(config)
    with _store(settings) as store:
        checked: TagKind = kind  # type: ignore[assignment]  # the register checks it
        store.registry.issue(site or settings.site.name, tag, checked, holder)
    out.print("The tag is in the register.")


@dead_letters.command("list")
def list_(
    config: Config = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, from the newest.")] = 20,
) -> None:
    """List the newest dead letters."""
    with _store(_settings(config)) as store:
        letters = store.dead_letters(limit)
    table = Table("id", "received", "topic", "bytes", "reason")
    for letter in letters:
        size = str(len(letter.payload))
        cells = (str(letter.id), _utc(letter.received_ms), letter.topic, size, letter.reason)
        table.add_row(*map(_printable, cells))
    out.print(table)


@dead_letters.command()
def show(number: Annotated[int, typer.Argument(metavar="ID")], config: Config = None) -> None:
    """Show one dead letter, with hashes of tags masked."""
    with _store(_settings(config)) as store:
        letter = store.dead_letter(number)
    if letter is None:
        _fail(f"There is no dead letter {number}.", AMISS)
        return
    for line in (_utc(letter.received_ms), letter.topic, letter.reason):
        out.print(_printable(line))
    payload = letter.payload.decode(errors="backslashreplace")
    out.print(_printable(payload))


def _settings(config: Path | None) -> Settings:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return configuration.load(config)


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    store = Store.open(settings.store.url)
    try:
        yield store
    finally:
        store.close()


def _on_signals(action: Callable[[], object]) -> None:
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: action())


def _utc(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _printable(text: str) -> str:
    """Without control characters, which could rewrite a terminal, and without tags' hashes."""
    clean = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return re.sub(r"[0-9a-fA-F]{32}", "(a tag's hash)", clean)


def _fail(reason: object, code: int) -> None:
    sys.stderr.write(f"{reason}\n")
    raise SystemExit(code)
