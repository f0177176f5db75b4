"""`python -m sim replay`: a recording of a real site, played to a host."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from host_bridge.contract import topics
from host_bridge.contract.recording import RecordingError
from sim.replay import Replay, ReplayError, look

UNFINISHED, USAGE, STOPPED = 1, 2, 130


def replay(
    file: Annotated[Path, typer.Argument(help="Made by `chequer export facts`.")],
    speed: Annotated[float, typer.Option(min=0.1, max=100_000, help="Times faster.")] = 1.0,
    broker: Annotated[str, typer.Option(help="host:port of any MQTT broker.")] = "127.0.0.1:1883",
    site: Annotated[str | None, typer.Option(help="Else the sites of the recording.")] = None,
) -> None:
    """Play recorded facts to a broker as their units sent them; best into an empty host.

    The file is read to its end before anything is sent. Exit codes: 0 the host has acknowledged
    every fact; 1 it has not; 2 the file or an option makes no sense, and nothing was sent; 130
    stopped by Ctrl-C.
    """
    err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    try:
        name, _, number = broker.rpartition(":")
        if site is not None and topics.parse(f"{topics.PREFIX}/{site}/u/x") != (site, "u", "x"):
            raise ValueError(f"{site!r} is no site's name")  # noqa: TRY301 (one place that says it)
        player = Replay((name, int(number)), speed, site)
        totals = look(file)
    except (RecordingError, ValueError) as error:
        err.print(f"{error}\nNothing was played.")
        raise typer.Exit(USAGE) from error
    minutes = (totals.last - totals.first) / 60_000
    print(
        f"{totals.facts} facts of {totals.units} units in {minutes:.1f} min, "
        f"to be played in {minutes / speed:.1f} min.",
        flush=True,
    )
    try:
        with Progress(
            "facts",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            disable=not sys.stdout.isatty(),
        ) as bar:
            task = bar.add_task("facts", total=totals.facts)
            player.play(file, lambda sent: bar.update(task, completed=sent))
    except (RecordingError, ReplayError) as error:
        err.print(str(error))
        raise typer.Exit(UNFINISHED) from error
    except KeyboardInterrupt:
        err.print(f"Stopped; {player.unacknowledged()} facts were sent and not yet acknowledged.")
        raise typer.Exit(STOPPED) from None
    print(f"The host has acknowledged all {totals.facts} facts.")
