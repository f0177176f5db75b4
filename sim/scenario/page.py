"""The report as a page: self-contained, whole without scripts, in light and in dark."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from sim.scenario.demands import DEMANDS
from sim.scenario.record import Result
from sim.scenario.timeline import legend, timeline

OUTCOMES = {
    "passed": ("✓", "passed"),
    "failed": ("✗", "failed"),
    "broken": ("!", "could not be told"),
    "skipped": ("-", "skipped, slow"),
}
"""Outcome -> sign and words."""

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(results: list[Result]) -> str:
    """All results on one page, those that went wrong first."""
    order = list(OUTCOMES)
    wrong_first = sorted(results, key=lambda r: (order.index(r.outcome) not in {1, 2}, r.title))
    return _ENVIRONMENT.get_template("report.html").render(
        results=wrong_first,
        outcomes=OUTCOMES,
        counts={each: sum(r.outcome == each for r in results) for each in OUTCOMES},
        seconds=sum(result.seconds for result in results),
        demands=DEMANDS,
        timeline=lambda result: Markup(timeline(result)),  # noqa: S704 (escapes what it is given)
        legend=[(Markup(picture), text) for picture, text in legend()],  # noqa: S704
    )
