"""A soak as a picture: memory above, lag below, faults as bars behind both. SVG."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Protocol

_WIDTH, _LEFT, _RIGHT = 960, 64, 16
_MEMORY, _LAG, _HIGH = 56, 256, 150
"""Tops of the two graphs, and how high each is."""
_MOST = 480
"""Points of a line; of what falls together the highest is drawn."""

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.t{font-size:16px;font-weight:600}"
    ".f{fill:#b5482a;opacity:.18}.a{stroke:#999;fill:none}.relay{stroke:#2a6496}.broker{stroke:#888;"
    "stroke-dasharray:5 3}.lag{stroke:#7a1f0a}polyline{fill:none;stroke-width:1.5}"
)


class Look(Protocol):
    """What is drawn of a sample."""

    @property
    def at(self) -> float:
        """Seconds since the beginning."""

    @property
    def relays_mib(self) -> float:
        """Memory of the relays."""

    @property
    def broker_mib(self) -> float:
        """Memory of the broker."""

    @property
    def lag_s(self) -> float:
        """Age of the oldest fact that is not acknowledged."""


def draw(samples: Sequence[Look], faults: Sequence[tuple[str, float, float]], path: Path) -> None:
    """Write the picture.

    Args:
        samples: in the order of time, at least one.
        faults: (name, begin, end), in seconds.
        path: the file.
    """
    end = max(sample.at for sample in samples)
    memory = [max(sample.relays_mib, sample.broker_mib) for sample in samples]
    words = f"{end / 60:.0f} minutes, {len(faults)} faults"

    def x(seconds: float) -> float:
        return round(_LEFT + seconds / end * (_WIDTH - _LEFT - _RIGHT), 1)

    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_LAG + _HIGH + 36}"'
        f' role="img"><title>{words}</title><style>{_STYLE}</style>'
    )
    parts = [
        head,
        f'<rect width="{_WIDTH}" height="{_LAG + _HIGH + 36}" fill="#fff"/>',
        f'<text class="t" x="{_LEFT}" y="24">{words}</text>',
    ]
    for name, begin, over in faults:
        wide = max(2.0, x(over) - x(begin))
        parts.append(
            f'<g><title>{escape(name)}</title><rect class="f" x="{x(begin)}" y="{_MEMORY}"'
            f' width="{wide:.1f}" height="{_LAG + _HIGH - _MEMORY}"/></g>'
        )
    graphs = (
        (_MEMORY, "Memory, MiB: relays (line), broker (dashes)", max(memory),
         (("relay", [(s.at, s.relays_mib) for s in samples]),
          ("broker", [(s.at, s.broker_mib) for s in samples]))),
        (_LAG, "Lag, s: age of the oldest fact that is not acknowledged",
         max(sample.lag_s for sample in samples), (("lag", [(s.at, s.lag_s) for s in samples]),)),
    )  # fmt: skip
    for top, title, most, lines in graphs:
        scale = (_HIGH - 6) / (most or 1)
        foot = top + _HIGH
        parts.append(
            f'<text x="{_LEFT}" y="{top - 8}">{title}; at most {most:.1f}</text>'
            f'<path class="a" d="M{_LEFT} {top}V{foot}H{_WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 6}" y="{foot}" text-anchor="end">0</text>'
            f'<text x="{_LEFT - 6}" y="{top + 12}" text-anchor="end">{most:.0f}</text>'
        )
        for kind, points in lines:
            drawn = " ".join(f"{x(at)},{foot - value * scale:.1f}" for at, value in _fewer(points))
            parts.append(f'<polyline class="{kind}" points="{drawn}"/>')
    for tenth in range(0, 11, 2):
        at = end * tenth / 10
        where = f'x="{x(at)}" y="{_LAG + _HIGH + 20}" text-anchor="middle"'
        parts.append(f"<text {where}>{at / 60:.1f} min</text>")
    parts.append("</svg>\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(parts), encoding="utf-8")


def _fewer(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, len(points) // _MOST)
    return [max(points[i : i + step], key=lambda p: p[1]) for i in range(0, len(points), step)]
