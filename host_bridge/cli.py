"""The command line; `console.py` has what all commands share."""

import importlib
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from host_bridge import export_commands, incident_commands, logs, unit_commands
from host_bridge.console import (
    AMISS,
    BROKER,
    DATABASE,
    IN_HAND,
    USAGE,
    Config,
    Site,
    fail,
    opened,
    out,
    settings_of,
    utc,
)
from host_bridge.doctor_command import doctor
from host_bridge.enrolment import SECONDS, EnrolmentError, Wanted
from host_bridge.enrolment import enrol as enrol_at_desk
from host_bridge.forget import ClockError
from host_bridge.logs import LogFormat, printable
from host_bridge.privacy_commands import forget, report
from host_bridge.provision.command import provision
from host_bridge.relay import Relay
from host_bridge.settings import SettingsError
from host_bridge.signals import on_end
from host_bridge.store import RegistryError, StoreError, TagKind, bring_to
from host_bridge.store_commands import backup, move, rebuild, restore
from host_bridge.transport.embedded import EmbeddedBroker, EmbeddedBrokerError
from host_bridge.transport.serial_gateway import run_ports
from host_bridge.update import command as update_command
from host_bridge.update import rollout_command
from host_bridge.update.errors import UpdateError

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
app.add_typer(incident_commands.app, name="incidents", no_args_is_help=True)
app.add_typer(unit_commands.app, name="units", no_args_is_help=True)
app.add_typer(update_command.app, name="update", no_args_is_help=True)
app.add_typer(export_commands.app, name="export", no_args_is_help=True)
rollout_command.register(update_command.app)


@app.callback()
def before(
    log_format: Annotated[
        LogFormat,
        typer.Option(envvar="CHEQUER_LOG_FORMAT", help="One line per event: text or json."),
    ] = "text",
) -> None:
    """Chequer: headset, seat and one button."""
    logs.set_up(log_format)


def main() -> None:
    """The console script: errors become one sentence and an exit code, here and nowhere else."""
    try:
        app()
    except (SettingsError, RegistryError, UpdateError) as error:
        fail(error, USAGE)
    except StoreError as error:
        fail(error, DATABASE)
    except ClockError as error:
        fail(error, AMISS)
    except (EmbeddedBrokerError, EnrolmentError) as error:
        fail(error, BROKER)


@app.command()
def broker(config: Config = None) -> None:
    """Run the embedded MQTT broker, for this machine only."""
    settings = settings_of(config)
    stopped = threading.Event()
    on_end(stopped.set)
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
    share: Annotated[
        str | None,
        typer.Option(
            help="Share the messages with the other relays of this group (needs MQTT 5).",
        ),
    ] = None,
) -> None:
    """Take facts from the broker, commit them, acknowledge them."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise SettingsError("a relay's name is up to 32 of a-z, 0-9 and '-', a letter first")
    if share is not None and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", share):
        raise SettingsError("a group of relays is named as a relay is")
    settings = settings_of(config)
    if share is not None and settings.broker.version == "3.1.1":
        raise SettingsError('--share needs MQTT 5, but [broker] version is "3.1.1"')
    with opened(settings) as store:
        worker = Relay(settings, store, name, share=share)
        on_end(worker.stop)
        left = worker.run()
    if left:
        fail(f"Stopped with {left} facts in hand; nothing is lost, units send them again.", IN_HAND)


@app.command()
def gateway(
    port: Annotated[
        list[str],
        typer.Option(help="A unit's serial port, best from /dev/serial/by-id; may be repeated."),
    ],
    config: Config = None,
    baud: Annotated[int, typer.Option(min=9_600, max=2_000_000, help="Bits a second.")] = 115_200,
) -> None:
    """Relay between desk units on serial lines and the broker."""
    if len(set(port)) < len(port):
        raise SettingsError("the same serial port twice: each has one unit")
    settings = settings_of(config)
    stopped = threading.Event()
    on_end(stopped.set)
    out.print(f"Relaying between {', '.join(port)} and the broker; Ctrl-C ends it.")
    run_ports(port, baud, settings.broker, settings.site.name, stopped)


@app.command()
def serve(config: Config = None) -> None:
    """Serve the pages and decide what facts mean."""
    # Imported here: the other commands start faster without the web's libraries.
    importlib.import_module("host_bridge.web").serve(settings_of(config))


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
        done = ", ".join(bring_to(settings_of(config).store.url, to))
        out.print(f"Applied or taken back: {done}." if done else "It has that form already.")
        return
    with opened(settings_of(config)) as store:
        done = ", ".join(store.applied)
        out.print(f"Applied: {done}." if done else "The database is up to date.")


@app.command()
def ledger(config: Config = None) -> None:
    """Show that every received fact is accounted for, and what is missing."""
    with opened(settings_of(config)) as store:
        rows, gaps = store.ledger(), store.gaps()
    table = Table("worker", "received", "stored", "duplicates", "dead letters", "difference")
    for row in rows:
        figures = (row.received, row.stored, row.duplicates, row.dead_letters, row.difference)
        table.add_row(row.worker, *map(str, figures))
    out.print(table)
    if gaps:
        table = Table("site", "unit", "boot", "lane", "missing", "dropped by unit", "since")
        for gap in gaps:
            amounts = (str(gap.missing), str(gap.dropped))
            table.add_row(gap.site, gap.unit, str(gap.boot), gap.lane, *amounts, utc(gap.since_ms))
        out.print(table)
    if any(row.difference for row in rows):
        fail("The ledger does not add up: facts are unaccounted for.", AMISS)


@app.command()
def demo(config: Config = None) -> None:
    """Run a simulated room of desk units on the real firmware, with the whole host."""
    _simulator("demo", *(["--config", str(config)] if config is not None else []))


@app.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": [],  # the simulator has the help
    }
)
def simulate(context: typer.Context) -> None:
    """Tell scenarios to simulated desks and the real host; --help lists what may follow."""
    _simulator("simulate", *context.args)


def _simulator(*words: str) -> NoReturn:
    """Run a command of the simulator, which is a program of its own; end as it ends."""
    command = [sys.executable, "-m", "sim", *words]
    # Ctrl-C reaches the simulator too, which ends in order; so wait for it. A handler, because
    # it does not pass on to the new process as an ignored signal would.
    signal.signal(signal.SIGINT, lambda *_: None)
    with subprocess.Popen(command) as process:  # noqa: S603 (our own words and a path)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        raise typer.Exit(process.wait())


app.command("provision")(provision)
for command in (doctor, move, backup, restore, rebuild, forget, report):
    app.command()(command)


@registry.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="tag,kind,holder[,status]")],
    config: Config = None,
    site: Site = None,
) -> None:
    """Take entries from a CSV file; all of them, or none if one makes no sense."""
    settings = settings_of(config)
    with opened(settings) as store:
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
    settings = settings_of(config)
    with opened(settings) as store:
        checked: TagKind = kind  # type: ignore[assignment]  # the register checks it
        store.registry.issue(site or settings.site.name, tag, checked, holder)
    out.print("The tag is in the register.")


@registry.command()
def enrol(
    *,
    unit: Annotated[str, typer.Option(help="The unit at whose desk the tag is presented.")],
    kind: Annotated[str, typer.Option(help="headset, badge or cleaner")],
    holder: Annotated[str | None, typer.Option(help="The holder's name.")] = None,
    seconds: Annotated[int, typer.Option(min=5, max=300, help="How long it waits.")] = SECONDS,
    config: Config = None,
    site: Site = None,
) -> None:
    """Enter the next tag that is presented at a desk."""
    settings = settings_of(config)
    checked: TagKind = kind  # type: ignore[assignment]  # the register checks it
    wanted = Wanted(site or settings.site.name, unit, checked, holder)
    with opened(settings) as store:
        ask = f"The desk of {unit} waits for the tag, {seconds} s at the most."
        outcome = enrol_at_desk(
            settings.broker, store, wanted, ready=lambda: out.print(ask), seconds=seconds
        )
    if outcome == "already-known":
        fail("That tag is in the register already; nothing was changed.", AMISS)
    if outcome == "nobody-came":
        fail("No tag was presented in time; nothing was entered.", AMISS)
    out.print("The tag is in the register.")


@dead_letters.command("list")
def list_(
    config: Config = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, from the newest.")] = 20,
) -> None:
    """List the newest dead letters."""
    with opened(settings_of(config)) as store:
        letters = store.dead_letters(limit)
    table = Table("id", "received", "topic", "bytes", "reason")
    for letter in letters:
        size = str(len(letter.payload))
        cells = (str(letter.id), utc(letter.received_ms), letter.topic, size, letter.reason)
        table.add_row(*map(printable, cells))
    out.print(table)


@dead_letters.command()
def show(number: Annotated[int, typer.Argument(metavar="ID")], config: Config = None) -> None:
    """Show one dead letter, with hashes of tags masked."""
    with opened(settings_of(config)) as store:
        letter = store.dead_letter(number)
    if letter is None:
        fail(f"There is no dead letter {number}.", AMISS)
    for line in (utc(letter.received_ms), letter.topic, letter.reason):
        out.print(printable(line))
    payload = letter.payload.decode(errors="backslashreplace")
    out.print(printable(payload))
