"""Sentences: templates with gaps, and what may stand in each gap.

`{who} taps {cards} at {desk}` is a template. The words "the", "a", "an", "her", "his" and "their"
may be written anywhere and mean nothing; capitals matter in names and display words only.
"""

import functools
import re
from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from typing import Any, Literal

import msgspec

from sim.parts import Parts
from sim.scenario import measure
from sim.scenario.errors import WordingError
from sim.scenario.site import Cards
from sim.scenario.words import COLOURS, FACTS, FAULTPOINTS, KINDS, PAGE, display_words, says
from sim.world import FAULTS

SOMEBODY = "somebody"

CHIPS = {
    "reader": ("mfrc522", "pn532"),
    "radar": ("ld2410",),
    "PIR": ("pir",),
    "seat switch": ("seat-switch",),
    "display": ("ssd1306",),
    "flash": ("flash",),
}
"""What a chip is called in a sentence -> what it may be, on one board or another."""

DEFECTS = {
    "missing": "missing",
    "stuck at 00": "stuck00",
    "stuck at FF": "stuckff",
    "noisy": "noise",
    "truncated": "truncated",
    "hung": "hung",
    "worn": "worn",
    "dead further on": "dead",
    "rotten": "rotten",
    "small": "small",
}
"""What is wrong with it, in a sentence -> in `sim.world.FAULTS`."""

WAYS = {"ahead": 1, "back": -1}
"""Which way a clock jumps."""

_FILLERS = re.compile(r"(?<![\w'])(?:the|a|an|her|his|their) ", re.IGNORECASE)
_GAP = re.compile(r"\{(\w+)\}")
_SHAPES = {"amount": r"(?:at (?:least|most) )?\S+"}


class Names(msgspec.Struct):
    """Who and what a sentence may speak of; `let` adds names of desks as the story goes on."""

    people: list[str]
    desks: list[str]
    rooms: list[str]
    cards: Cards
    aliases: list[str] = []
    parts: dict[str, Parts] = {}
    """What is on the board of each desk's unit."""


class Card(msgspec.Struct, frozen=True):
    """A card that is spoken of: whose, None for the speaker's own, and of which kind."""

    owner: str | None
    kind: str


class Phrase(msgspec.Struct, frozen=True):
    """A sentence that may be said.

    Attributes:
        kind: whether it does something or expects something.
        group: under which heading it is documented.
        template: with gaps.
        explains: what it means, for docs/simulator.md.
        run: called with the stage and the gaps by name.
        lasting: it can only be told over time, as in `always: ...`.
        carries: the card that the person needs for it, if the sentence does not name it.
    """

    kind: Literal["action", "expectation"]
    group: str
    template: str
    explains: str
    run: Callable[..., Awaitable[Any]]
    lasting: bool = False
    carries: str = ""


class Sentence(msgspec.Struct, frozen=True):
    """A phrase with its gaps filled."""

    phrase: Phrase
    gaps: dict[str, Any]
    text: str


PHRASES: list[Phrase] = []
"""All there are; filled by `actions` and `expectations`."""


def phrase(
    kind: Literal["action", "expectation"],
    group: str,
    template: str,
    explains: str,
    *,
    lasting: bool = False,
    carries: str = "",
) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
    """Make a function the meaning of a sentence."""

    def add(run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        PHRASES.append(Phrase(kind, group, template, explains, run, lasting, carries))
        return run

    return add


def understand(text: str, names: Names) -> Sentence:
    """Find the phrase that a sentence is.

    Raises:
        WordingError: there is none, or a gap holds what it can't hold.
    """
    plain = _plain(text)
    problem = ""
    # The one with most words of its own first: it is the likeliest to have been meant.
    for candidate in sorted(PHRASES, key=lambda each: -len(_GAP.sub("", each.template))):
        match = _pattern(candidate.template).fullmatch(plain)
        if not match:
            continue
        try:
            gaps = {name: _read(name, words, names) for name, words in match.groupdict().items()}
            _fits(candidate, gaps, names)
        except WordingError as error:
            problem = problem or f"{text!r}: {error}"
        else:
            return Sentence(candidate, gaps, text.strip())
    raise WordingError(problem or _unknown(text))


def _plain(text: str) -> str:
    return " ".join(_FILLERS.sub("", text).split()).rstrip(".")


@functools.cache  # a long story has thousands of sentences
def _pattern(template: str) -> re.Pattern[str]:
    parts = _GAP.split(_plain(template))
    made = ""
    for i, part in enumerate(parts):
        if i % 2:
            made += f"(?P<{part}>{_SHAPES.get(part, '.+?')})"
        else:
            made += re.escape(part).replace(r"\(s\)", "s?")
    return re.compile(made, re.IGNORECASE)


def _unknown(text: str) -> str:
    templates = {_GAP.sub("", each.template): each.template for each in PHRASES}
    near = get_close_matches(text, templates, n=3, cutoff=0.3)
    hint = "; did you mean: " + " | ".join(templates[each] for each in near) if near else ""
    return f"{text!r} is not a sentence I know{hint} (all are in docs/simulator.md)"


def _fits(candidate: Phrase, gaps: dict[str, Any], names: Names) -> None:
    """What only shows when all gaps are known: does this person have such a card?"""
    cards = list(gaps.get("cards", ()))
    if candidate.carries:
        cards.append(Card(None, candidate.carries))
    for card in cards:
        owner = card.owner or gaps["who"]
        if owner == SOMEBODY:
            raise WordingError("somebody has no cards of their own: say whose, as in Anna's badge")
        names.cards.uid(owner, card.kind)
    if "chip" in gaps and gaps["desk"] in names.parts:
        _can_break(chip_of(gaps["chip"], gaps["desk"], names.parts), gaps.get("defect", "none"))


def chip_of(called: str, desk: str, parts: dict[str, Parts]) -> str:
    """The chip that is called so at this desk, as `sim.world.FAULTS` names it.

    Raises:
        WordingError: this desk's unit has none.
    """
    has = parts[desk].chips
    for chip in CHIPS[called]:
        if chip in has:
            return chip
    there = [name for name, chips in CHIPS.items() if set(chips) & set(has)]
    raise WordingError(f"{desk} has no {called}, only {', '.join(there)}")


def _can_break(chip: str, defect: str) -> None:
    if defect not in FAULTS[chip]:
        known = [words for words, kind in DEFECTS.items() if kind in FAULTS[chip]]
        raise WordingError(f"this chip knows no such defect, only {', '.join(known)}")


def _read(name: str, words: str, names: Names) -> Any:
    """What stands in a gap."""
    return _GAPS[name](words.strip(), names)


def _one_of(what: str, words: str, known: dict[str, Any] | list[str]) -> Any:
    table = known if isinstance(known, dict) else {each: each for each in known}
    for each, value in table.items():
        if each.lower() == words.lower():
            return value
    raise WordingError(f"expected {what} ({', '.join(table) or 'there is none'}), found {words!r}")


def _who(words: str, names: Names) -> str:
    return str(_one_of("a person", words, [*names.people, SOMEBODY]))


def _desk(words: str, names: Names) -> str:
    return str(_one_of("a desk", words, [*names.desks, *names.aliases]))


def _desks(words: str, names: Names) -> list[str]:
    if words.lower() in {"every desk", "all desks"}:
        return list(names.desks)
    return [_desk(each, names) for each in re.split(r", | and ", words)]


def _cards(words: str, names: Names) -> list[Card]:
    found = []
    for each in re.split(r" and ", words):
        owner, _, kind = each.rpartition("'s ")
        kind = _one_of("a card", kind, ["headset", "badge", "card"])
        if owner:
            owner = str(_one_of("a person", owner, names.people))
        found.append(Card(owner or None, kind))
    return found


def _word(words: str, _names: Names) -> str:
    if not says(words):
        known = ", ".join(sorted(display_words()))
        raise WordingError(f"expected words that the display knows ({known}), found {words!r}")
    return words


def _name(words: str, names: Names) -> str:
    if not re.fullmatch(r"[A-Z][A-Za-z]{1,15}", words) or words in names.people:
        raise WordingError(f"expected a new name of letters, with a capital first; found {words!r}")
    return words


_GAPS: dict[str, Callable[[str, Names], Any]] = {
    "who": _who,
    "desk": _desk,
    "desks": _desks,
    "cards": _cards,
    "word": _word,
    "name": _name,
    "time": lambda words, _: measure.span(words),
    "delay": lambda words, _: measure.span(words),
    "number": lambda words, _: measure.number(words),
    "share": lambda words, _: measure.share(words),
    "amount": lambda words, _: measure.amount(words),
    "chip": lambda words, _: _one_of("a chip", words, list(CHIPS)),
    "defect": lambda words, _: _one_of("a defect", words, DEFECTS),
    "part": lambda words, _: _one_of("a part of the host", words, ["relay", "director"]),
    "point": lambda words, _: _one_of("a point", words, FAULTPOINTS),
    "fact": lambda words, _: _one_of("a kind of fact", words, FACTS),
    "colour": lambda words, _: _one_of("a colour", words, COLOURS),
    "state": lambda words, _: _one_of("a state of the page", words, PAGE),
    "room": lambda words, names: _one_of("a room", words, names.rooms),
    "rate": lambda words, _: measure.rate(words),
    "way": lambda words, _: _one_of("a way", words, WAYS),
    "mess": lambda words, _: _one_of("a kind of nonsense", words, KINDS),
}

GAPS: dict[str, str] = {
    "who": "a person of the file, or `somebody`",
    "desk": "a desk of the file, or a name from `let`",
    "desks": "desks as in `A1`, `A1 and A2`, `A1, A2 and B1`, or `every desk`",
    "cards": "`headset`, `badge`, `card` (a cleaner's), `Ben's headset`; several with `and`",
    "word": "what the display can say, as in `STORED` or `NOT YOURS`; two lines are one phrase",
    "name": "a new name for a desk",
    "delay": "as `{time}`",
    "time": "`250ms`, `3s`, `2min`; or a range, `2s..5s`, from which the seed chooses",
    "share": "`30 %` or `0.3`",
    "number": "`3`, or a range, `3..6`, from which the seed chooses",
    "amount": "`3`, `no`, `at least 3`, `at most 3`",
    "chip": "`reader`, `radar`, `PIR`, `seat switch`, `display`, `flash`; "
    "what the desk has of them",
    "defect": "`missing`, `stuck at 00`, `stuck at FF`, `noisy`, "
    "`truncated`, `hung`, `worn`, `dead further on`, `rotten`, `small`; "
    "which chip knows what is in a table below",
    "part": "`relay`, `director` (which serves the page too)",
    "point": "a fault point of the host, as in `relay.after-commit`",
    "fact": "`boot`, `tag`, `seat`, `provisional`, `chip`, `dropped`, `press`, `urgent`",
    "colour": "`red`, `green`, `blue`, `amber`, `white`",
    "state": "`free`, `reserved`, `taken`, `blocked`, `conflict`, `dirty`, `full`, `offline`",
    "room": "a room of the file",
    "rate": "`40 ppm fast`, `40 ppm slow` or `right`, as a clock runs",
    "way": "`ahead` or `back`",
    "mess": "`garbage`, `an unknown type`, `a fact of another unit`",
}
"""What may stand in each gap, for docs/simulator.md."""

assert GAPS.keys() == _GAPS.keys()
