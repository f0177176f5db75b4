"""`chequer update offer`, `status`, `withdraw`: bring a signed bundle to desk units."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from host_bridge.console import (
    AMISS,
    USAGE,
    Config,
    Site,
    fail,
    opened,
    out,
    settings_of,
    utc,
)
from host_bridge.domain.rollout import BAD, BATCH, Heard, Offered
from host_bridge.logs import printable
from host_bridge.settings import Settings
from host_bridge.store import Store
from host_bridge.update.errors import UpdateError
from host_bridge.update.shelf import Shelf

_POLL_S = 0.5

Units = Annotated[list[str] | None, typer.Option("--unit", help="A unit; may be given often.")]
Everyone = Annotated[bool, typer.Option("--all", help="Every unit at a desk of the settings.")]


def offer(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A signed update.")],
    *,
    unit: Units = None,
    everyone: Everyone = False,
    again: Annotated[
        bool, typer.Option("--again", help="Even where this version has failed its trial.")
    ] = False,
    batch: Annotated[
        int, typer.Option(min=1, max=500, help="How many units may be at it at once.")
    ] = BATCH,
    wait: Annotated[bool, typer.Option(help="Follow it until all is done.")] = True,
    config: Config = None,
    site: Site = None,
) -> None:
    """Offer an update to units; `chequer serve` hands it out. Ctrl-C leaves the offers standing."""
    settings = settings_of(config)
    units = _units(settings, unit, everyone)
    name = site or settings.site.name
    try:
        label = Shelf(Path(settings.update.folder)).put(bundle)
    except UpdateError as error:
        fail(error, USAGE)
    now = time.time_ns() // 1_000_000
    offers = [
        Offered(
            unit=each,
            bundle=label.name,
            size=label.size,
            version=label.version,
            again=again,
            batch=batch,
            offered_ms=now,
        )
        for each in units
    ]
    with opened(settings) as store:
        store.updates.offer(name, offers)
        out.print(f"Version {label.version} is offered to {len(units)} units.")
        if wait:
            _follow(store, name, units)


def status(config: Config = None, site: Site = None) -> None:
    """Show how every offer stands; exit code 1 when a roll-out has stopped."""
    settings = settings_of(config)
    name = site or settings.site.name
    with opened(settings) as store:
        offers, heard = store.updates.offers(name), store.updates.heard(name)
    out.print(_table(offers, heard))
    bad = _bad(offers)
    if bad:
        fail(_advice(bad), AMISS)


def withdraw(
    unit: Units = None, everyone: Everyone = False, config: Config = None, site: Site = None
) -> None:
    """Withdraw offers. What a unit has installed stays; what it is fetching is left where it is."""
    settings = settings_of(config)
    name = site or settings.site.name
    with opened(settings) as store:
        units = sorted(store.updates.offers(name)) if everyone else _named(unit)
        count = store.updates.withdraw(name, units)
    out.print(f"{count} offers are withdrawn.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (offer, status, withdraw):
        app.command()(command)


def _units(settings: Settings, named: list[str] | None, everyone: bool) -> list[str]:
    known = sorted({desk.unit for room in settings.site.rooms for desk in room.desks})
    if everyone:
        if not known:
            fail("The settings have no desks; name the units with --unit.", USAGE)
        return known
    units = _named(named)
    strange = sorted(set(units) - set(known))
    if strange:
        fail(f"No desk of the settings has a unit {', '.join(strange)}.", USAGE)
    return units


def _named(units: list[str] | None) -> list[str]:
    if not units:
        fail("Say for which units: --unit NAME, as often as needed, or --all.", USAGE)
    return sorted(set(units))


def _follow(store: Store, site: str, units: Sequence[str]) -> None:
    """Show how far it is, until all are done or the roll-out stops."""
    columns = (
        TextColumn("updates"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[now]}"),
    )
    try:
        with Progress(*columns, console=out) as bar:
            task = bar.add_task("", total=len(units), now="")
            while True:
                offers = store.updates.offers(site)
                mine = {each: offers[each] for each in units if each in offers}
                words = Counter(each.standing for each in mine.values())
                done = words.pop("done", 0)
                now = ", ".join(f"{count} {word}" for word, count in sorted(words.items()))
                bar.update(task, completed=done, total=len(mine), now=now)
                if done == len(mine) or _bad(mine):
                    break
                time.sleep(_POLL_S)
    except KeyboardInterrupt:
        out.print("The offers stand: chequer update status, chequer update withdraw.")
        return
    out.print(_table(mine, store.updates.heard(site)))
    if _bad(mine):
        fail(_advice(_bad(mine)), AMISS)


def _table(offers: dict[str, Offered], heard: dict[str, Heard]) -> Table:
    table = Table("unit", "runs", "offered", "stands", "received", "refused", "said", "heard")
    for unit, each in sorted(offers.items()):
        said = heard.get(unit)
        if said is None:
            table.add_row(unit, "", str(each.version), each.standing, "", "", "", "")
            continue
        mine = said.bundle == each.bundle and said.step in ("fetching", "installed", "refused")
        received = f"{min(100, 100 * said.received // each.size)} %" if mine else ""
        refused = said.refused or "" if said.bundle in (None, each.bundle) else ""
        words = (said.message if refused else "", utc(said.time_ms))
        runs = str(said.version) if said.version else "?"
        row = (unit, runs, str(each.version), each.standing, received, refused, *words)
        table.add_row(*map(printable, row))
    return table


def _bad(offers: dict[str, Offered]) -> dict[str, str]:
    return {unit: each.standing for unit, each in sorted(offers.items()) if each.standing in BAD}


def _advice(bad: dict[str, str]) -> str:
    which = ", ".join(f"{unit} ({standing})" for unit, standing in bad.items())
    return (
        f"The roll-out has stopped at {which}. Units that have begun go on; no other is told. Find "
        "out why, then offer it to them again (--again after a failed trial), or withdraw theirs."
    )
