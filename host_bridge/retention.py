"""Retention: every class of data, its purpose, and how long it is kept; from `retention.toml`."""

import functools
import sys
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Literal

import msgspec

HOUR_MS = 3_600_000

Hours = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class DataClass(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class of data; the file's beginning says what each word means."""

    purpose: str
    since: Literal["happening", "arrival", "closing", "writing"]
    why: str
    personal: bool
    hours: Hours | None = None
    shortest: Hours = 24
    facts: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    classes: dict[str, DataClass]


@functools.cache
def classes() -> dict[str, DataClass]:
    """Every class by its name."""
    text = files("host_bridge").joinpath("retention.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File).classes


def table() -> str:
    """The classes as docs/privacy.md has them: `python -m host_bridge.retention` prints it."""
    lines = [
        "| class | what | for what | how long | why so long | personal |",
        "|---|---|---|---|---|---|",
    ]
    for name, kind in classes().items():
        what = [f"facts `{each}`" for each in kind.facts] + [f"`{each}`" for each in kind.tables]
        long = f"{_days(kind.hours)} since {kind.since}" if kind.hours else "no time ends it"
        personal = "yes" if kind.personal else "no"
        cells = (name, ", ".join(what), kind.purpose, long, kind.why, personal)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _days(hours: int) -> str:
    return f"{hours} h" if hours < 168 else f"{hours // 24} days"


def refusal(name: str, hours: int) -> str | None:
    """Why a site can't keep a class for so many hours; None when it can."""
    kind = classes().get(name)
    if kind is None:
        return f"no class of data is called {name!r}; there are {', '.join(limited())}"
    if kind.hours is None:
        return f"{name} ends by no time, so none can be set"
    if hours < kind.shortest:
        return f"{name} must be kept for {kind.shortest} hours at least"
    if kind.personal and hours > kind.hours:
        return f"{name} are about persons: they may be kept for {kind.hours} hours at most"
    return None


def limited() -> list[str]:
    """The classes that time deletes."""
    return [name for name, kind in classes().items() if kind.hours is not None]


def limits_ms(kept: Mapping[str, int]) -> dict[str, int]:
    """How long each class is kept that time deletes, in milliseconds.

    Args:
        kept: what the site asks for, in hours, where it differs.
    """
    found = {name: kind.hours for name, kind in classes().items() if kind.hours is not None}
    return {name: hours * HOUR_MS for name, hours in {**found, **kept}.items()}


if __name__ == "__main__":
    sys.stdout.write(table())
