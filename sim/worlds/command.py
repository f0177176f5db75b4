"""`python -m sim world`: what will happen in a world, before anybody lives it."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sim.worlds.action import encode
from sim.worlds.day import plan
from sim.worlds.model import Model, Size
from sim.worlds.picture import picture
from sim.worlds.table import COLUMNS, hours, sums

USAGE = 2


def world(  # noqa: PLR0917 (options, never given by position)
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is chosen.")] = 1,
    desks: Annotated[int, typer.Option(min=1, max=5000, help="To be used at once.")] = 20,
    agents: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="On the roster; else a fifth more.")
    ] = None,
    hours_: Annotated[float, typer.Option("--hours", min=0.5, max=16, help="Open a day.")] = 8.0,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many.")] = 1,
    abusive: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of abusive calls.")
    ] = None,
    day: Annotated[int, typer.Option(min=1, help="Which one is shown and drawn.")] = 1,
    draw: Annotated[
        Path | None, typer.Option("--picture", help="Draw the day into FILE.svg.")
    ] = None,
    actions: Annotated[
        Path | None, typer.Option(help="Write all that happens at desks, one JSON object a line.")
    ] = None,
) -> None:
    """Plan a call centre's days and show what will happen; nothing is run."""
    err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    if day > days or (draw is not None and draw.suffix != ".svg"):
        err.print("expected --day within --days, and a picture's name that ends in .svg")
        raise typer.Exit(USAGE)
    size = Size(
        seats=desks,
        agents=agents or desks + max(1, desks // 5),
        cleaners=1 + desks // 25,
        hours=hours_,
        days=days,
    )
    model = Model(size=size) if abusive is None else Model(size=size, abusive=abusive)
    made = plan(model, seed)
    out = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    table = Table(*COLUMNS, title=f"Day {day}")
    for row in hours(made, day - 1):
        cells = [str(row.figures.get(name, 0) or "") for name in COLUMNS[1:]]
        table.add_row(f"{row.begins % 24}:00", *cells)
    out.print(table)
    for name, text in sums(made):
        out.print(f"{name:20} {text}", markup=False)
    try:
        if draw:
            draw.write_text(picture(made, day - 1), encoding="utf-8")
        if actions:
            actions.write_bytes(encode(made.actions))
    except OSError as error:
        err.print(f"{error.filename}: can't be written: {error.strerror}")
        raise typer.Exit(USAGE) from error
