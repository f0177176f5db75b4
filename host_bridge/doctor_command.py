"""`chequer doctor`: what an installation lacks, and what to do about it."""

from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from host_bridge.console import AMISS, Config, fail, out
from host_bridge.doctor import Finding, Outcome, examine
from host_bridge.logs import printable

_SIGN: dict[Outcome, tuple[str, str]] = {
    "ok": ("✓ ok", "green"),
    "warn": ("! warn", "yellow"),
    "fail": ("✗ fail", "bold red"),
}


def doctor(
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one document.")] = False,
) -> None:
    """Look at settings, database, disk, clock, broker, port and permissions; change nothing."""
    findings = examine(config)
    if as_json:
        out.print(msgspec.json.format(msgspec.json.encode(findings)).decode(), soft_wrap=True)
    else:
        out.print(_table(findings))
    failed = [finding.check for finding in findings if finding.outcome == "fail"]
    if failed:
        fail(f"Not in order: {', '.join(failed)}. Nothing was changed.", AMISS)


def _table(findings: list[Finding]) -> Table:
    table = Table("", "check", "how it is", "what to do")
    for each in findings:
        sign, style = _SIGN[each.outcome]
        do = "" if each.outcome == "ok" and each.check != "broker" else each.do
        table.add_row(Text(sign, style), each.check, printable(each.what), printable(do))
    return table
