"""`chequer forget`, what is over its time goes; `chequer report`, what may be told of groups."""

import time
from collections.abc import Sequence
from datetime import date
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from host_bridge.console import AMISS, Config, Site, fail, opened, out, settings_of, utc
from host_bridge.domain.groups import Figures
from host_bridge.forget import amounts
from host_bridge.forget import forget as delete
from host_bridge.retention import HOUR_MS, limits_ms
from host_bridge.settings import Settings
from host_bridge.store import Amount, Run, Store

_NOTHING: dict[str, int | None] = dict.fromkeys(Figures._fields)
_WHY = (
    '"Fewer than" stands also for a larger group that is hidden because the figures of a small one '
    "could be worked out from it. A day is counted in the night that follows it."
)


def forget(
    config: Config = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be deleted.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only look; fail if anything is over its time.")
    ] = False,
    clock_is_right: Annotated[
        bool, typer.Option("--clock-is-right", help="You have looked at this host's clock.")
    ] = False,
) -> None:
    """Delete what is over its time; the host that directs the site does so every night."""
    settings, now_ms = settings_of(config), time.time_ns() // 1_000_000
    with opened(settings) as store:
        if dry_run or check:
            found = amounts(store, settings, now_ms)
            _show(settings, found)
            over = sum(each.over for each in found)
            if check and over:
                fail(f"{over} rows are over their time; chequer forget deletes them.", AMISS)
            out.print(f"{over} rows would be deleted." if over else "Nothing is over its time.")
            return
        runs = _run(store, settings, now_ms, clock_is_right=clock_is_right)
        _show_runs(runs)
        found = amounts(store, settings, now_ms)
    if over := sum(each.over for each in found):
        fail(f"{over} rows came in meanwhile that are over their time already.", AMISS)
    out.print("Nothing is left that is over its time.")


def report(
    config: Config = None,
    site: Site = None,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="As in 2026-11-22.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day told of.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell of groups, day by day: agents, sign-ins with the own headset, reports of abuse."""
    days = [_checked(each) for each in (first or "0001-01-01", last or "9999-12-31")]
    settings = settings_of(config)
    name = site or settings.site.name
    with opened(settings) as store:
        found = store.groups.days(name, *days)
    if as_json:
        rows = [
            {
                "site": name, "day": each.day, "room": each.room or None,
                "at_least": each.threshold,
                **(_NOTHING if each.figures is None else each.figures._asdict()),
            }
            for each in found
        ]  # fmt: skip
        # Not folded to the width of a terminal: that would break texts in two.
        out.print(msgspec.json.format(msgspec.json.encode(rows)).decode(), soft_wrap=True)
        return
    table = Table("day", "room", "agents", "sign-ins", "reports")
    for each in found:
        few = f"fewer than {each.threshold}"
        cells = [few, "", ""] if each.figures is None else [str(n) for n in each.figures]
        table.add_row(each.day, each.room or "(the whole site)", *cells)
    out.print(table)
    out.print(_WHY)


def _run(store: Store, settings: Settings, now_ms: int, *, clock_is_right: bool) -> list[Run]:
    console = Console(stderr=True)
    work = delete(store, settings, now_ms, clock_is_right=clock_is_right)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("deleting", total=None)
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                return list(end.value)
            bar.update(task, completed=step.done, total=step.total or None)


def _show(settings: Settings, found: Sequence[Amount]) -> None:
    limits = limits_ms(settings.privacy.keep)
    table = Table("class", "kept for", "over its time", "oldest")
    for each in found:
        hours = f"{limits[each.data] // HOUR_MS} h"
        table.add_row(each.data, hours, str(each.over), _time(each.oldest_ms))
    out.print(table)


def _show_runs(runs: Sequence[Run]) -> None:
    table = Table("class", "kept for", "deleted", "oldest that is left")
    for run in runs:
        hours = f"{run.limit_ms // HOUR_MS} h"
        table.add_row(run.data, hours, str(run.deleted), _time(run.oldest_ms))
    out.print(table)


def _checked(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        raise typer.BadParameter(f"{day!r} is no day (2026-11-22 is one)") from None


def _time(time_ms: int | None) -> str:
    return "" if time_ms is None else utc(time_ms)
