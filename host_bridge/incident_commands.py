"""`chequer incidents`: what was reported, and saying that somebody has heard it."""

import time
from typing import Annotated

import typer
from rich.table import Table

from host_bridge.console import AMISS, Config, Site, fail, opened, out, settings_of, utc
from host_bridge.domain.incidents import Incident, fold
from host_bridge.store import Store

app = typer.Typer(help="Reports of abusive calls, by desk and time; nobody is named or counted.")


@app.command("list")
def list_(
    config: Config = None,
    site: Site = None,
    drill: Annotated[bool, typer.Option("--drill", help="Practice instead of earnest.")] = False,
) -> None:
    """List the incidents, oldest first."""
    settings = settings_of(config)
    with opened(settings) as store:
        incidents = _incidents(store, site or settings.site.name)
    table = Table("id", "unit", "began", "time known by", "urgent", "state")
    for each in incidents:
        if each.drill == drill:
            urgent = "urgent" if each.urgent else ""
            table.add_row(str(each.id), each.unit, utc(each.time_ms), each.sure, urgent, each.state)
    out.print(table)


@app.command()
def hear(
    number: Annotated[int, typer.Argument(metavar="ID")],
    config: Config = None,
    site: Site = None,
) -> None:
    """Say that a person has taken an incident up; its desk shows SEEN."""
    settings = settings_of(config)
    name = site or settings.site.name
    with opened(settings) as store:
        found = [each for each in _incidents(store, name) if each.id == number]
        if not found:
            fail(f"There is no incident {number}.", AMISS)
        incident = found[0]
        is_new = store.incidents.add(
            name,
            incident.unit,
            boot=incident.boot,
            seq=incident.seq,
            word="heard",
            time_ms=time.time_ns() // 1_000_000,
        )
    out.print("The desk is told." if is_new else "It was heard before; nothing was changed.")


def _incidents(store: Store, site: str) -> list[Incident]:
    return fold(store.incidents.reports(site), store.incidents.records(site))
