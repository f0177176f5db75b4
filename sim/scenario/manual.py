"""The tables of docs/simulator.md, from the sentences themselves.

`python -m sim.scenario.manual` writes them; a test holds the page against them.
"""

from collections.abc import Iterable, Iterator

from sim.faults.catalogue import CATALOGUE
from sim.scenario.phrase import GAPS, PHRASES
from sim.scenario.read import BLOCKS
from sim.scenario.world import KEYS
from sim.vm import ROOT
from sim.world import FAULTS

PAGE = ROOT / "docs" / "simulator.md"
BEGIN, END = "<!-- tables: python -m sim.scenario.manual -->", "<!-- end of tables -->"


def tables() -> str:
    """All of them, as Markdown."""
    return "\n".join(_lines()) + "\n"


def written(page: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{rest.partition(END)[2]}"


def _lines() -> Iterator[str]:
    for kind, title in (("action", "What can happen"), ("expectation", "What can be expected")):
        yield f"### {title}"
        chosen = [phrase for phrase in PHRASES if phrase.kind == kind]
        for group in dict.fromkeys(phrase.group for phrase in chosen):
            rows = [(p.template, p.explains) for p in chosen if p.group == group]
            yield from ("", f"**{group}**", "")
            yield from _table("sentence", rows)
        yield ""
    yield from ("### What may stand before a colon", "")
    yield from _table("words", BLOCKS.items())
    yield from ("", "### What may stand in a gap", "")
    yield from _table("gap", ((f"{{{gap}}}", text) for gap, text in GAPS.items()))
    yield from ("", "### What a world says", "")
    yield from _table("key", KEYS.items())
    yield from ("", "### Every fault by name", "")
    yield "| where | fault | what happens | in a story | shown by |"
    yield "|---|---|---|---|---|"
    for each in CATALOGUE:
        yield (
            f"| {each.place} | {each.name} | {each.explains} | `{each.sentence}` |"
            f" `{each.story}.yaml` |"
        )
    yield from ("", "### Faults on the control port", "")
    yield from _table("chip", ((chip, ", ".join(kinds)) for chip, kinds in FAULTS.items()))


def _table(head: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"| {head} | means |"
    yield "|---|---|"
    for code, text in rows:
        yield f"| `{code}` | {text} |"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
