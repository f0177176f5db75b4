"""A roll-out: who is told of an update next, and when it stops by itself. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from host_bridge.contract.messages import BundleName, RefusalReason, UpdateStep

BATCH = 20
"""How many units may be in the middle of an update at once."""

MISSING_MS = 15 * 60_000
"""A unit that was to start its new version and has not been heard for so long is missing."""

PASSING: frozenset[RefusalReason] = frozenset(("trial", "memory"))
"""Refusals that pass by themselves: the offer is repeated."""

Standing = Literal["waits", "told", "fetching", "installed", "trial", "done", "refused", "back",
                   "missing"]  # fmt: skip
"""How an offer stands. `waits`: for a place in the batch, or for the unit to be there; `told`:
nothing was heard of it yet."""

BAD: frozenset[Standing] = frozenset(("refused", "back", "missing"))
"""What stops a roll-out until somebody has looked at it."""


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle of `size` bytes that a unit is to have. Times are Unix milliseconds."""

    unit: str
    bundle: BundleName
    size: int
    version: int
    again: bool
    batch: int
    offered_ms: int
    told_ms: int | None = None
    standing: Standing = "waits"


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit said about its update last, and when (Unix milliseconds)."""

    unit: str
    version: int
    step: UpdateStep
    bundle: BundleName | None
    received: int
    refused: RefusalReason | None
    message: str
    time_ms: int

    def same(self, other: "Heard") -> bool:
        """Whether it says the same, at whatever time."""
        return msgspec.structs.replace(self, time_ms=other.time_ms) == other


def believed(before: Heard | None, now: Heard) -> bool:
    """Whether something new is news.

    A unit that went back says so at each of its starts; while it fetches, that is an old story.
    """
    return not (now.step == "back" and before is not None and before.step == "fetching")


def stands(offer: Offered, heard: Heard | None, *, online: bool, now_ms: int) -> Standing:
    """How an offer stands, by what was heard since the unit was told."""
    if offer.told_ms is None:
        return "waits"
    if heard is None or heard.time_ms < offer.told_ms or heard.bundle not in (None, offer.bundle):
        return "told"
    if heard.step == "refused":
        return _refused(offer, heard)
    if heard.step == "healthy":
        return "done" if heard.version == offer.version else "told"
    away = not online and now_ms - heard.time_ms > MISSING_MS
    return "missing" if away and heard.step in ("installed", "trial") else heard.step


def _refused(offer: Offered, heard: Heard) -> Standing:
    if heard.refused in PASSING:
        return "told"
    if heard.refused == "version" and heard.version == offer.version:
        return "done"
    return "refused"


class Plan(msgspec.Struct, frozen=True):
    """How each unit's offer stands now, and who is to be told for the first time."""

    standings: dict[str, Standing]
    tell: list[str]


def plan(
    offers: Iterable[Offered],
    heard: Mapping[str, Heard],
    online: Mapping[str, bool],
    now_ms: int,
) -> Plan:
    """Tell the next units, as many as the batch has places, unless one of it has come to grief.

    Args:
        offers: all offers of a site.
        heard: what units said last.
        online: which units are there; only those are told.
        now_ms: Unix milliseconds.
    """
    standings: dict[str, Standing] = {}
    rollouts: dict[str, list[Offered]] = {}
    for offer in sorted(offers, key=lambda each: (each.offered_ms, each.unit)):
        unit = offer.unit
        standings[unit] = stands(
            offer, heard.get(unit), online=bool(online.get(unit)), now_ms=now_ms
        )
        rollouts.setdefault(offer.bundle, []).append(offer)
    tell: list[str] = []
    for rollout in rollouts.values():
        now = [standings[each.unit] for each in rollout]
        if any(each in BAD for each in now):
            continue
        under_way = sum(each not in ("waits", "done") for each in now)
        places = max(0, rollout[-1].batch - under_way)
        waiting = [
            each.unit
            for each in rollout
            if standings[each.unit] == "waits" and online.get(each.unit)
        ]
        tell += waiting[:places]
    return Plan(standings, tell)
