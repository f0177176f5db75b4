"""`chequer units`: how desk units are to behave."""

import time
from typing import Annotated

import typer

from host_bridge.console import USAGE, Config, Site, fail, opened, out, settings_of, utc
from host_bridge.settings import Settings

app = typer.Typer(help="How desk units are to behave.")

Unit = Annotated[str, typer.Argument(help="The unit's name.")]


@app.command()
def drill(
    unit: Unit,
    minutes: Annotated[int, typer.Option(min=0, max=240, help="How long; 0 ends it.")] = 30,
    config: Config = None,
    site: Site = None,
) -> None:
    """Let presses at a desk be practice for a while: the whole path runs, nothing counts."""
    settings = settings_of(config)
    _check(settings, unit)
    until = time.time_ns() // 1_000_000 + minutes * 60_000 if minutes else None
    with opened(settings) as store:
        store.modes.drill(site or settings.site.name, unit, until)
    out.print(f"Drill at {unit} until {utc(until)}." if until else f"{unit} is in earnest.")


@app.command()
def quiet(
    unit: Unit,
    off: Annotated[bool, typer.Option("--off", help="Let it sound again.")] = False,
    config: Config = None,
    site: Site = None,
) -> None:
    """Silence a desk's buzzer; light and display go on."""
    settings = settings_of(config)
    _check(settings, unit)
    with opened(settings) as store:
        store.modes.quiet(site or settings.site.name, unit, quiet=not off)
    out.print(f"{unit} sounds." if off else f"{unit} is quiet.")


def _check(settings: Settings, unit: str) -> None:
    """A unit that is at no desk would never be told."""
    known = {desk.unit for room in settings.site.rooms for desk in room.desks}
    if unit not in known:
        fail(f"No desk of the settings has a unit {unit!r}.", USAGE)
