"""A story that goes wrong, made short: fewer happenings, then shorter times and smaller numbers.

Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002)
on the list of happenings; then one figure after the other. A shorter story counts only if it
breaks the same invariant, perhaps besides others. Nothing is drawn by chance, and the number of
tellings is bounded: the same story always shrinks to the same.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from sim.explore.plan import Happening, Plan
from sim.scenario.site import People

MOST = 250
"""Tellings for one story at the most."""

T = TypeVar("T")

Fails = Callable[[Plan], bool]
"""Tells a story; whether it breaks the same invariant as the first one, besides others or not."""


class Shrunk(msgspec.Struct, frozen=True):
    """The shortest story that was found, and what it took; `whole` unless the bound ended it."""

    plan: Plan
    tellings: int
    whole: bool


class _EnoughError(Exception):
    pass


class _Search:
    """Remembers the best story so far."""

    def __init__(self, plan: Plan, fails: Fails, most: int) -> None:
        self.best = plan
        self.tellings = 0
        self._fails = fails
        self._most = most
        self._known: set[str] = set()

    def takes(self, plan: Plan) -> bool:
        """Whether a shorter story still fails; it is the best one then."""
        if plan == self.best or repr(plan) in self._known:
            return False
        if self.tellings >= self._most:
            raise _EnoughError
        self.tellings += 1
        self._known.add(repr(plan))
        if not self._fails(plan):
            return False
        self.best = plan
        return True


def shrunk(plan: Plan, fails: Fails, most: int = MOST) -> Shrunk:
    """The shortest story that can be found with at most `most` tellings."""
    search = _Search(plan, fails, most)
    try:
        before = None
        while before != search.best:
            before = search.best
            _fewer(search)
            _shorter(search)
            _smaller_site(search)
            _sooner(search)
    except _EnoughError:
        return Shrunk(search.best, search.tellings, whole=False)
    return Shrunk(search.best, search.tellings, whole=True)


def _fewer(search: _Search) -> None:
    """Leave out happenings: halves, then quarters, in the end one by one."""
    size = max(1, len(search.best.happenings) // 2)
    while True:
        at = 0
        while at < len(search.best.happenings):
            rest = [*search.best.happenings[:at], *search.best.happenings[at + size :]]
            if not search.takes(search.best.with_happenings(rest)):
                at += size
        if size == 1:
            return
        size //= 2


def _shorter(search: _Search) -> None:
    """Leave out single lines, then try smaller figures, for each happening."""
    for number in range(len(search.best.happenings)):
        at = 0
        while at < len(search.best.happenings[number].lines):
            lines = search.best.happenings[number].lines
            rest = (*lines[:at], *lines[at + 1 :])
            if not (rest and search.takes(_with(search.best, number, rest))):
                at += 1
        for at in range(len(search.best.happenings[number].lines)):
            for value in _smaller(search, number, at):
                lines = search.best.happenings[number].lines
                line = lines[at].with_value(value)
                search.takes(_with(search.best, number, (*lines[:at], line, *lines[at + 1 :])))


def _smaller(search: _Search, number: int, at: int) -> Iterator[float]:
    """Figures to try: the least, a whole one, then by halves as long as that goes."""
    line = search.best.happenings[number].lines[at]
    if not line.unit:
        return
    yield line.least
    if line.unit == "s" and line.value > 1:
        yield 1.0
        yield float(int(line.value))
    step = (search.best.happenings[number].lines[at].value - line.least) / 2
    while step >= (0.5 if line.unit == "s" else 1):
        now = search.best.happenings[number].lines[at].value
        yield now - step
        step /= 2


def _smaller_site(search: _Search) -> None:
    """Without desks and people of whom nothing is told, and with the simpler rule."""
    said = " ".join(
        f"{line.said} {line.inside} " for each in search.best.happenings for line in each.lines
    )
    desks = tuple(d for d in search.best.desks if f"{d} " in said) or search.best.desks[:1]
    people = People(
        *(_spoken(names, said) for names in msgspec.structs.astuple(search.best.people))
    )
    replace = msgspec.structs.replace
    if not search.takes(replace(search.best, desks=desks, people=people)):
        search.takes(replace(search.best, desks=desks))
    search.takes(replace(search.best, badge_in="headset"))
    search.takes(replace(search.best, day=None))
    while search.best.day and search.best.day.hours > 0.5:
        hours = max(0.5, round(search.best.day.hours / 2, 1))
        if not search.takes(replace(search.best, day=replace(search.best.day, hours=hours))):
            break


def _sooner(search: _Search) -> None:
    """Less time between happenings, whole seconds where that does."""
    best = search.best.happenings
    search.takes(_moved(search.best, [3.0 * number for number in range(1, len(best) + 1)]))
    for number in range(len(best)):
        times = [each.at for each in search.best.happenings]
        before = times[number - 1] if number else 0.0
        for gap in (1.0, 5.0, 30.0, (times[number] - before) / 2):
            less = times[number] - before - gap
            if less > 0 and search.takes(
                _moved(search.best, [*times[:number], *(at - less for at in times[number:])])
            ):
                break
    search.takes(_moved(search.best, [float(round(at)) for at in _times(search.best)]))


def _times(plan: Plan) -> list[float]:
    return [each.at for each in plan.happenings]


def _moved(plan: Plan, times: Sequence[float]) -> Plan:
    return plan.with_happenings(
        [
            Happening(round(at, 1), each.lines)
            for at, each in zip(times, plan.happenings, strict=True)
        ]
    )


def _with(plan: Plan, number: int, lines: tuple[object, ...]) -> Plan:
    happenings = list(plan.happenings)
    happenings[number] = msgspec.structs.replace(happenings[number], lines=lines)
    return plan.with_happenings(happenings)


def _spoken(names: list[str], said: str) -> list[str]:
    return [name for name in names if f"{name} " in said or f"{name}'s " in said]
