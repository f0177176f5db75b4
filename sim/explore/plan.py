"""A story as happenings that can be taken out one by one, and its form as a scenario file."""

from typing import Literal

import msgspec

from sim.scenario.invariants import INVARIANTS
from sim.scenario.site import People

QUIET_S = 150.0
"""What units and host are given to settle: longer than any of their back-offs and time limits."""

SETTLE_S = 60
"""For how long an invariant may still come true after that."""

_BOUND = {"s": 24 * 3600.0, "times": 100_000, "bytes": 100_000}
_LEAST = {"s": 0.1, "times": 1, "bytes": 1}
_MENDED = (
    "the broker is started",
    "the relay is started",
    "the director is started",
    "the network of every desk is back",
    "the power of every desk is back",
)


class Line(msgspec.Struct, frozen=True):
    """A sentence, with a figure in it where `{}` stands; with `inside`, what is repeated."""

    text: str
    value: float = 0.0
    unit: Literal["", "s", "times", "bytes"] = ""
    inside: str = ""

    @property
    def said(self) -> str:
        """The sentence."""
        if not self.unit:
            return self.text
        return self.text.format(f"{self.value:g}s" if self.unit == "s" else int(self.value))

    @property
    def lasts(self) -> float:
        """Seconds at the most that the story needs for it."""
        if self.inside:
            return 2.0 * self.value
        return {"s": self.value, "times": 0.3 * self.value}.get(self.unit, 0.0)

    def with_value(self, value: float) -> "Line":
        """The same with another figure, within what sentences allow."""
        value = round(value, 1) if self.unit == "s" else int(value)
        bounded = min(_BOUND[self.unit], max(_LEAST[self.unit], value))
        return Line(self.text, bounded, self.unit, self.inside)

    @property
    def least(self) -> float:
        """The least figure that it may have."""
        return _LEAST[self.unit]


class Happening(msgspec.Struct, frozen=True):
    """What somebody does, or a fault with its end: one after the other, from `at` seconds on."""

    at: float
    lines: tuple[Line, ...]

    @property
    def ends(self) -> float:
        """Seconds, at the latest."""
        return self.at + sum(line.lasts for line in self.lines)


class Day(msgspec.Struct, frozen=True):
    """The day of a model's people (`world:`), who take part in place of the story's own."""

    agents: int
    hours: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole story.

    Attributes:
        seed: of what units draw by chance, and of the cards.
        badge_in: the site's rule.
        desks: all in one room.
        people: who takes part.
        happenings: what happens, beside each other, by time.
        day: a model's day that goes on beside them, or None.
    """

    seed: int
    badge_in: str
    desks: tuple[str, ...]
    people: People
    happenings: tuple[Happening, ...]
    day: Day | None = None

    @property
    def length(self) -> int:
        """Sentences, but for those that only wait."""
        return sum(not _waits(line) for each in self.happenings for line in each.lines)

    @property
    def ends(self) -> float:
        """Seconds after which all is over that happens, but for the quiet."""
        day = self.day.hours * 3600 if self.day else 0.0
        return max([day, *(each.ends for each in self.happenings)]) + 1

    def with_happenings(self, happenings: list[Happening]) -> "Plan":
        """The same site, other things happen."""
        return msgspec.structs.replace(self, happenings=tuple(happenings))


def wait(seconds: float) -> Line:
    """Nothing happens for a while."""
    return Line("wait {}", round(seconds, 1), "s")


def scenario(plan: Plan, title: str, remarks: list[str]) -> str:
    """The plan as a scenario file; remarks go before it as comments."""
    people = {name: names for name, names in msgspec.to_builtins(plan.people).items() if names}
    lines = [f"# {remark}" for remark in remarks]
    lines += [
        f"title: {title}",
        f"seed: {plan.seed}",
        "needs: virtual time",
        "site:",
        f"  badge_in: {plan.badge_in}",
    ]
    lines += [f"  rooms: [{{desks: [{', '.join(plan.desks)}], pitch: 3 m}}]"]
    if plan.day:
        lines += ["world:", f"  agents: {plan.day.agents}", f"  hours: {plan.day.hours:g}"]
        lines += ["  abusive share: 10 %"]
    lines += ["people:"] if people else []
    lines += [f"  {name}: [{', '.join(names)}]" for name, names in people.items()]
    lines += ["steps:"]
    for each in plan.happenings:
        lines += ["  - meanwhile:", f"      - at {each.at:g}s:", "          - if possible:"]
        for line in each.lines:
            if line.inside:
                lines += [f"              - {line.said}:", f"                  - {line.inside}"]
            else:
                lines.append(f"              - {line.said}")
    lines += [f"  - at {plan.ends:g}s:", "      - if possible:"]
    lines += [f"          - {sentence}" for sentence in _MENDED]
    lines += [f"  - wait {QUIET_S:g}s", f"  - within {SETTLE_S}s:"]
    lines += [f"      - {sentence}" for sentence in INVARIANTS]
    return "\n".join(lines) + "\n"


def _waits(line: Line) -> bool:
    return line.text.startswith("wait ")
