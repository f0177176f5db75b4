"""A world's day as a picture: desks by time, calls by the hour, presses. SVG, from our own lines.

Shapes and hatching tell things apart, not colour alone. Desks are drawn, never people.
"""

from collections.abc import Iterator
from html import escape

from sim.worlds.action import Action, Deed
from sim.worlds.calls import Call
from sim.worlds.day import Day, Plan
from sim.worlds.model import LEAD_S
from sim.worlds.roster import HOUR

_WIDTH, _LEFT, _RIGHT, _HEAD = 1000, 56, 16, 64
_CALLS, _GAP, _FOOT = 110, 46, 34
_BIN_S = 900.0
_ROOM = 900
"""Height in which the desks have to find room."""

_STYLE = """
svg{font:12px system-ui,sans-serif;background:#fff}text{fill:#333}.t{font-size:17px;font-weight:600}
.s{fill:#666}.g{stroke:#e3e3e3}.a{stroke:#999}.use{fill:#d5e3f0}.on{fill:#4a7fb0}.out{fill:url(#h)}
.bar{fill:#9db8cf}.abuse{fill:#b5482a}.press{fill:#b5482a;stroke:#fff}.hold{fill:#7a1f0a;stroke:#fff}
.clean{fill:#3d8f5f}.visit{fill:#d9a441}.k{fill:#333}
""".strip().replace("\n", "")

_MARKS = {
    Deed.PRESS: ("press", "M0 5 5-4H-5Z"),
    Deed.HOLD: ("hold", "M0-6 6 0 0 6-6 0Z"),
    Deed.CLEAN: ("clean", "M-3-3H3V3H-3Z"),
}
_LEGEND = (
    ("on", "M-8-5H8V5H-8Z", "sits there"), ("use", "M-8-5H8V5H-8Z", "errand"),
    ("out", "M-8-5H8V5H-8Z", "break"), ("visit", "M-8-5H8V5H-8Z", "visitor"),
    ("press", "M0 5 5-4H-5Z", "press"), ("hold", "M0-6 6 0 0 6-6 0Z", "long hold: urgent"),
    ("clean", "M-3-3H3V3H-3Z", "cleaned"),
)  # fmt: skip


def picture(plan: Plan, day: int = 0) -> str:
    """The picture of one day, as SVG; its title tells it in words."""
    return "".join(_Picture(plan, day).lines())


class _Picture:
    """Places of things, and the things."""

    def __init__(self, plan: Plan, day: int) -> None:
        self._plan = plan
        self._number = day
        self._day: Day = plan.days[day]
        size = plan.model.size
        ends = [stint.end for stint in self._day.roster.stints]
        self._first = -LEAD_S
        self._last = max([size.hours * HOUR, *ends, *map(self._seconds, self._day.actions)]) + 300
        self._row = max(3.0, min(18.0, _ROOM / size.seats))
        self._desks_y = _HEAD + _CALLS + _GAP
        self._bottom = self._desks_y + self._row * size.seats

    def lines(self) -> Iterator[str]:
        size, height = self._plan.model.size, round(self._bottom + _FOOT + 30)
        calls = self._day.calls
        words = (
            f"Day {self._number + 1} of {size.days}, seed {self._plan.seed}: {size.seats} desks, "
            f"{len(self._day.roster.stints)} arrivals, {len(calls.answered)} calls"
        )
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img"><title>{escape(words)}</title>'
            f"<style>{_STYLE}</style>{_HATCH}"
            f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
            f'<text class="t" x="{_LEFT}" y="24">{escape(words)}</text>'
        )
        yield from self._hours()
        yield from self._calls()
        yield from self._desks()
        yield from self._legend(height - 16)
        yield "</svg>"

    def _seconds(self, action: Action) -> float:
        return action.at_ms / 1000 - LEAD_S - self._number * 86_400

    def _x(self, seconds: float) -> float:
        share = (seconds - self._first) / (self._last - self._first)
        return round(_LEFT + min(1.0, max(0.0, share)) * (_WIDTH - _LEFT - _RIGHT), 1)

    def _y(self, desk: int) -> float:
        return round(self._desks_y + desk * self._row, 1)

    def _hours(self) -> Iterator[str]:
        """A line for each full hour of the clock."""
        opens = self._plan.model.size.opens
        hour = int(opens + self._first / HOUR) + 1
        while (seconds := (hour - opens) * HOUR) <= self._last:
            x = self._x(seconds)
            yield f'<path class="g" d="M{x} {_HEAD}V{self._bottom:.1f}"/>'
            yield (
                f'<text class="s" x="{x}" y="{self._bottom + 16:.1f}" text-anchor="middle">'
                f"{hour % 24}:00</text>"
            )
            hour += 1

    def _calls(self) -> Iterator[str]:
        """Calls in each quarter of an hour, as bars; abusive ones at their foot."""
        answered, foot = self._day.calls.answered, _HEAD + _CALLS
        bins: dict[int, list[Call]] = {}
        for call in answered:
            bins.setdefault(int(call.begin // _BIN_S), []).append(call)
        most = max(map(len, bins.values()), default=1)
        scale = (_CALLS - 8) / most
        yield f'<text x="{_LEFT}" y="{_HEAD - 12}">Calls answered in a quarter of an hour'
        yield f'<tspan class="s" dx="8">at most {most}; abusive ones at the foot</tspan></text>'
        for number, found in bins.items():
            left, right = self._x(number * _BIN_S), self._x((number + 1) * _BIN_S)
            abusive = sum(call.abusive for call in found)
            said = f"{len(found)} calls, {abusive} abusive"
            yield f"<g><title>{said}</title>"
            yield _bar("bar", left + 0.5, foot - len(found) * scale, right - left - 1, foot)
            if abusive:
                yield _bar(
                    "abuse", left + 0.5, foot - max(2.5, abusive * scale), right - left - 1, foot
                )
            yield "</g>"
        yield f'<path class="a" d="M{_LEFT} {foot}H{_WIDTH - _RIGHT}"/>'

    def _desks(self) -> Iterator[str]:
        """A row for each desk: who sits there when, as bands; marks on top."""
        size = self._plan.model.size
        yield f'<text x="{_LEFT}" y="{self._desks_y - 12}">Desks</text>'
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if s * self._row >= 12)
        for desk in range(0, size.seats, step):
            y = self._y(desk) + self._row / 2 + 4
            yield f'<text class="s" x="{_LEFT - 8}" y="{y:.1f}" text-anchor="end">{desk + 1}</text>'
        thick = self._row * 0.8
        for stint in self._day.roster.stints:
            y = self._y(stint.desk) + self._row * 0.1
            yield self._band("on", stint.begin, stint.end, y, thick)
            for absence in stint.absences:
                tone = "out" if absence.pause else "use"
                yield self._band(tone, absence.begin, absence.end, y, thick)
        for action in self._day.actions:
            yield self._mark(action, thick)

    def _mark(self, action: Action, thick: float) -> str:
        at, top = self._seconds(action), self._y(action.desk)
        if action.deed == Deed.VISIT:
            return self._band("visit", at, at + action.ms / 1000, top + self._row * 0.1, thick)
        if action.deed not in _MARKS:
            return ""
        tone, shape = _MARKS[action.deed]
        size = max(0.55, min(1.0, self._row / 14))
        where = f"translate({self._x(at)} {top + self._row / 2:.1f}) scale({size:.2f})"
        return f'<path class="{tone}" transform="{where}" d="{shape}"/>'

    def _band(self, tone: str, begin: float, end: float, top: float, thick: float) -> str:
        wide = self._wide(begin, end)
        return (
            f'<rect class="{tone}" x="{self._x(begin)}" y="{top:.1f}" '
            f'width="{wide:.1f}" height="{thick:.1f}"/>'
        )

    def _wide(self, begin: float, end: float) -> float:
        return max(0.8, self._x(end) - self._x(begin))

    def _legend(self, y: float) -> Iterator[str]:
        x = _LEFT + 8
        for tone, shape, text in _LEGEND:
            yield f'<path class="{tone}" transform="translate({x} {y - 4})" d="{shape}"/>'
            yield f'<text x="{x + 14}" y="{y}">{text}</text>'
            x += 38 + 7 * len(text)


_HATCH = (
    '<defs><pattern id="h" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="5" height="5" fill="#eef3f8"/>'
    '<path d="M0 0V5" stroke="#4a7fb0" stroke-width="2"/></pattern></defs>'
)


def _bar(tone: str, left: float, top: float, width: float, foot: float) -> str:
    return (
        f'<rect class="{tone}" x="{left:.1f}" y="{top:.1f}" '
        f'width="{max(0.5, width):.1f}" height="{foot - top:.1f}"/>'
    )
