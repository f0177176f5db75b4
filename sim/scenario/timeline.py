"""A story as a picture: a lane for the host and one for each desk, time from left to right.

The band of a desk is what its display says. What people do stands above the band, what the host
has stored below it. Every kind of mark has a shape of its own, so nobody needs to tell colours
apart.
"""

from collections.abc import Iterator
from html import escape

from sim.scenario.record import Event, Result

WIDTH, LEFT, RIGHT = 1000, 64, 16
LANE, HEAD, FOOT = 76, 14, 26
_BAND_Y, _BAND = 30, 18
_LETTER = 5.6
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)

TONES = {
    "YOURS": "good", "STORED": "good", "CLEANED": "good", "FREE": "free", "RESERVED": "held",
    "TAKEN": "held", "BADGE OK HEADSET": "held", "PRESSED": "warm", "SENT": "warm",
    "DIRTY": "warm", "NOT CLEANED": "warm", "BLOCKED": "stop", "BLOCKED MOVE ON": "stop",
    "FULL": "stop", "NO LINK": "stop", "": "off",
}  # fmt: skip
"""What the display says -> the tone of its band; all else is plain."""

MARKS = {
    "tap": ("a card", '<circle r="4"/>'),
    "clean": ("cleaning", '<path d="M-4-4H4V4H-4Z"/>'),
    "press": ("a press", '<path d="M0 5 5-4H-5Z"/>'),
    "seat": ("sitting, getting up", '<path d="M-4-5V4H4V0H-4"/>'),
    "fact": ("a fact is stored", '<path d="M0-5V5"/>'),
    "fault": ("a fault", '<path d="M-4-4 4 4M4-4-4 4"/>'),
    "met": ("expectation met", '<path d="M-4 0-1 3 5-4"/>'),
    "failed": ("expectation not met", '<path d="M0-6 6 0 0 6-6 0Z"/>'),
    "note": ("a note", '<path d="M-4 0H4"/>'),
}
"""Kind -> what it is, and its shape around its own middle."""

_HEIGHTS = {"met": 60, "failed": 60, "fact": 56, "fault": 12, "note": 12}
_ABOVE = 18


def timeline(result: Result) -> str:
    """The picture as SVG; its title tells what it is to who can't see it."""
    return "".join(_picture(result))


def _picture(result: Result) -> Iterator[str]:
    length = max([event.until or event.at for event in result.events], default=0.0)
    scale = _Scale(max(1.0, length))
    lanes: list[str | None] = [None, *result.desks]
    height = HEAD + LANE * len(lanes) + FOOT
    yield f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" role="img">'
    yield f"<title>{escape(result.title)}: {length:.1f} s, {len(result.desks)} desks</title>"
    yield from _axis(scale, height)
    for number, desk in enumerate(lanes):
        yield f'<g transform="translate(0 {HEAD + LANE * number})">'
        yield f'<text class="lane" x="4" y="{_BAND_Y + 13}">{escape(desk or "host")}</text>'
        yield f'<path class="rule" d="M0 {LANE}H{WIDTH}"/>'
        events = [event for event in result.events if event.desk == desk]
        yield from _bands(events, scale)
        yield from _marks(events, scale)
        yield "</g>"
    yield "</svg>"


class _Scale:
    """Seconds to places on the picture."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._per_second = (WIDTH - LEFT - RIGHT) / seconds

    def x(self, at: float) -> float:
        return round(LEFT + min(max(0.0, at), self.seconds) * self._per_second, 1)


def _axis(scale: _Scale, height: int) -> Iterator[str]:
    step = next((s for s in _STEPS if scale.seconds / s <= 12), _STEPS[-1])
    for number in range(int(scale.seconds / step) + 1):
        x = scale.x(number * step)
        yield f'<path class="grid" d="M{x} {HEAD}V{height - FOOT}"/>'
        yield f'<text class="tick" x="{x}" y="{height - 8}">{number * step:g} s</text>'


def _bands(events: list[Event], scale: _Scale) -> Iterator[str]:
    """What the display said, each until it said something else; and faults that lasted."""
    shown = [event for event in events if event.kind == "shown"]
    for event, after in zip(shown, [*shown[1:], None], strict=False):
        end = after.at if after else scale.seconds
        yield _band(event.text, TONES.get(event.text, "plain"), scale.x(event.at), scale.x(end))
    for event in events:
        if event.until is not None:
            yield _band(event.text, "fault", scale.x(event.at), scale.x(event.until))


def _band(text: str, tone: str, left: float, right: float) -> str:
    width = max(1.0, right - left)
    room = int((width - 6) / _LETTER)
    said = text if len(text) <= room else text[: max(0, room - 1)] + "…" if room > 3 else ""
    label = f'<text class="said" x="{left + 4:.1f}" y="{_BAND_Y + 13}">{escape(said)}</text>'
    return (
        f'<g><title>{escape(text or "dark")}</title><rect class="band {tone}" x="{left:.1f}" '
        f'y="{_BAND_Y}" width="{width:.1f}" height="{_BAND}" rx="3"/>{label if said else ""}</g>'
    )


def _marks(events: list[Event], scale: _Scale) -> Iterator[str]:
    for event in events:
        if event.kind in MARKS and event.until is None:
            x, y = scale.x(event.at), _HEIGHTS.get(event.kind, _ABOVE)
            where = f", line {event.line}" if event.line else ""
            said = escape(f"{event.at:.2f} s: {MARKS[event.kind][0]}: {event.text}{where}")
            yield f'<g class="mark {event.kind}" transform="translate({x} {y})">'
            yield f"<title>{said}</title>{MARKS[event.kind][1]}</g>"


def legend() -> Iterator[tuple[str, str]]:
    """Every kind of mark: a little picture, and what it is."""
    for kind, (text, shape) in MARKS.items():
        mark = f'<g class="mark {kind}" transform="translate(9 9)">{shape}</g>'
        yield f'<svg class="key" viewBox="0 0 18 18" aria-hidden="true">{mark}</svg>', text
