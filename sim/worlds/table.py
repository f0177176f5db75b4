"""What will happen in a world, as a table: by the hour, and as a sum. Nobody is counted singly."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from sim.worlds.action import Deed
from sim.worlds.day import Plan
from sim.worlds.model import LEAD_S
from sim.worlds.roster import HOUR

COLUMNS = (
    "hour",
    "in use",
    "calls",
    "abusive",
    "presses",
    "taps",
    "breaks",
    "cleaned",
    "by-passers",
)
_OF = {
    Deed.PRESS: "presses", Deed.HOLD: "presses", Deed.BADGE_IN: "taps", Deed.WITHDRAW: "taps",
    Deed.STEP_OUT: "breaks", Deed.GET_UP: "breaks", Deed.CLEAN: "cleaned",
    Deed.PASS_BY: "by-passers",
}  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """An hour of the clock; `begins` counts hours since midnight."""

    begins: int
    figures: dict[str, int]


def hours(plan: Plan, day: int) -> list[Row]:
    """A day's figures, an hour a row; "in use" is the most desks in use at the same time."""
    counts: dict[int, Counter[str]] = {}
    opens = plan.model.size.opens

    def at(seconds: float) -> Counter[str]:
        return counts.setdefault(int((opens * HOUR + seconds) // HOUR), Counter())

    for action in plan.days[day].actions:
        seconds = action.at_ms / 1000 - LEAD_S - day * 86_400
        if action.deed in _OF:
            at(seconds)[_OF[action.deed]] += 1
        if action.ms and action.deed in {Deed.STEP_OUT, Deed.LEAVE}:
            at(seconds)["taps"] += 1
    for call in plan.days[day].calls.answered:
        at(call.begin)["calls"] += 1
        at(call.begin)["abusive"] += call.abusive
    for begins, most in _in_use(plan, day).items():
        counts.setdefault(begins, Counter())["in use"] = most
    return [Row(hour, dict(counts[hour])) for hour in sorted(counts)]


def _in_use(plan: Plan, day: int) -> dict[int, int]:
    """The most desks at once in each hour, looked at every minute."""
    opens, most = plan.model.size.opens * HOUR, Counter[int]()
    stints = plan.days[day].roster.stints
    first, last = (
        min((s.begin for s in stints), default=0),
        max((s.end for s in stints), default=0),
    )
    for second in range(int(first), int(last) + 1, 60):
        hour = int((opens + second) // HOUR)
        most[hour] = max(most[hour], sum(s.begin <= second < s.end for s in stints))
    return dict(most)


def sums(plan: Plan) -> Iterator[tuple[str, str]]:
    """The whole world in a few lines."""
    size = plan.model.size
    answered = sum(len(day.calls.answered) for day in plan.days)
    lost = sum(day.calls.lost for day in plan.days)
    abusive = sum(call.abusive for day in plan.days for call in day.calls.answered)
    deeds = Counter(action.deed for action in plan.actions)
    at_home = sum(day.roster.at_home for day in plan.days)
    yield "days", f"{size.days} of {size.hours:g} h, {size.seats} desks, {size.agents} agents"
    yield "happenings at desks", f"{sum(deeds.values())}"
    yield "arrivals", f"{sum(len(day.roster.stints) for day in plan.days)}, {at_home} at home"
    yield "calls", f"{answered} answered, {lost} hung up before; {abusive} abusive"
    yield "presses", f"{deeds[Deed.PRESS]}, {deeds[Deed.HOLD]} long holds"
    yield "withdrawn", f"{deeds[Deed.WITHDRAW]}"
    yield "desks cleaned", f"{deeds[Deed.CLEAN]}"
    yield "radar", f"{deeds[Deed.MISS]} misses, {deeds[Deed.GHOST]} ghosts"
