"""From a file to a `Scenario`: everything is checked before anything runs."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from sim.scenario import actions as _actions  # noqa: F401 (fills the list of phrases)
from sim.scenario import expectations as _expectations  # noqa: F401
from sim.scenario import fault_actions as _fault_actions  # noqa: F401
from sim.scenario import host_actions as _host_actions  # noqa: F401
from sim.scenario import invariants as _invariants  # noqa: F401
from sim.scenario import measure, site
from sim.scenario import privacy_expectations as _privacy  # noqa: F401
from sim.scenario.demands import DEMANDS
from sim.scenario.errors import ScenarioFileError, WordingError
from sim.scenario.lines import Node, Place, Tree, load
from sim.scenario.phrase import Names, Sentence, understand
from sim.scenario.site import Cards, People, Site
from sim.scenario.story import (
    At,
    Do,
    Expect,
    InTurn,
    Meanwhile,
    OneOf,
    Repeat,
    Rule,
    Scenario,
    Step,
    Together,
)
from sim.scenario.world import World

BLOCKS = {
    "within {time}": "the expectation (or each of a list) comes true within this time",
    "for {time}": "the expectation is true all of this time",
    "always": "the expectation is true from here to the end",
    "never": "the expectation is not true, from here to the end",
    "at {time}": "so long after the story began",
    "repeat {number} times": "several times, one after the other",
    "repeat {number} times every {time}": "several times, at these intervals",
    "together": "all of these at the same time; goes on when all have ended",
    "meanwhile": "one after the other, beside the rest of the story",
    "one of": "one of these; the seed chooses",
    "if possible": "one after the other; what can't be done just then (no power) is left out",
}
"""What may stand before a colon, for docs/simulator.md."""

_TIMED = re.compile(r"(within|for|at) (.+)")
_REPEAT = re.compile(r"repeat (\S+) times?(?: every (.+))?")
_LISTS: dict[str, type[Together | Meanwhile | OneOf]] = {
    "together": Together,
    "meanwhile": Meanwhile,
    "one of": OneOf,
}
_AT = re.compile(r" - at `\$(.*)`")
_FIELD = re.compile(r"unknown field `([^`]*)`")


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's outer form."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    steps: Annotated[list[Any], msgspec.Meta(min_length=1)]
    requirement: Any = ""
    about: str = ""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 1
    slow: bool = False
    needs: Literal["", "virtual time", "real time"] = ""
    site: Site = Site()
    world: World | None = None
    people: People = People()


def read(file: Path, seed: int | None = None) -> Scenario:
    """Read a scenario; `seed` takes the place of the file's.

    Raises:
        ScenarioFileError: the file makes no sense; it says where, and what was expected.
    """
    tree = load(file)
    document = _document(tree)
    requirements = _requirements(tree, document.requirement)
    seed = document.seed if seed is None else seed
    place, people = _site(tree, document), document.people
    if document.world:
        people = document.world.people(people)
    cards = Cards(people, seed)
    rooms = [room.name for room in place.rooms]
    names = Names(document.people.names, place.desks, rooms, cards)
    names.parts.update(place.parts)
    return Scenario(
        file=file,
        title=document.title,
        about=document.about,
        requirements=requirements,
        seed=seed,
        slow=document.slow,
        needs=document.needs,
        world=document.world,
        site=place,
        people=people,
        cards=cards,
        steps=_Steps(tree, names).list(tree.root["steps"], ("steps",)),  # type: ignore[call-overload, index]
    )


def _site(tree: Tree, document: _Document) -> Site:
    """The site, with the world's rooms where the world has desks of its own; checked."""
    place, where = document.site, "site"
    try:
        site.check(place, document.people)
        if document.world:
            where = "world"
            place = document.world.placed(place, own_rooms=_has_rooms(tree))
            document.world.check()
    except WordingError as error:
        raise ScenarioFileError(tree.file, tree.line((where,)), str(error)) from error
    return place


def _has_rooms(tree: Tree) -> bool:
    given = tree.root.get("site") if isinstance(tree.root, dict) else None
    return isinstance(given, dict) and "rooms" in given


def _document(tree: Tree) -> _Document:
    if not isinstance(tree.root, dict):
        raise ScenarioFileError(tree.file, 1, "expected `title:`, `steps:` and so on")
    try:
        return msgspec.convert(tree.root, _Document, strict=False)
    except msgspec.ValidationError as error:
        text = str(error)
        place: Place = ()
        if match := _AT.search(text):
            text = text[: match.start()]
            for key, index in re.findall(r"\.([\w -]+)|\[(\d+)\]", match[1]):
                place = (*place, key or int(index))
        if field := _FIELD.search(text):
            place = (*place, field[1])
            text += f"; known here: {_known(place)}"
        name = str(place[-1]) if place else "the file"
        raise ScenarioFileError(tree.file, tree.line(place), f"{name}: {text}") from error


def _known(place: Place) -> str:
    kinds: dict[str | int, Any] = {"people": People, "site": Site, "world": World}
    kind = kinds.get(place[0], _Document) if len(place) > 1 else _Document
    kind = site.Room if "rooms" in place[:-1] else kind
    kind = site.Desk if "desks" in place[:-1] else kind
    return ", ".join(kind.__struct_encode_fields__)


def _requirements(tree: Tree, given: Any) -> list[str]:
    numbers = given if isinstance(given, list) else str(given).split()
    for number in numbers:
        if number.strip(",") not in DEMANDS:
            raise ScenarioFileError(
                tree.file,
                tree.line(("requirement",)),
                f"requirement: expected numbers of demands, as in 2.5; found {number!r}",
            )
    return [number.strip(",") for number in numbers]


class _Steps:
    """Turns the tree of steps into steps."""

    def __init__(self, tree: Tree, names: Names) -> None:
        self._tree = tree
        self._names = names
        self._if_possible = False

    def list(self, node: Node, place: Place) -> list[Step]:
        if isinstance(node, str | dict):
            return [self.step(node, place)]
        if not node:
            raise self._error(place, "expected steps, found an empty list")
        return [self.step(each, (*place, i)) for i, each in enumerate(node)]

    def step(self, node: Node, place: Place) -> Step:
        line = self._tree.line(place)
        if isinstance(node, str):
            sentence = self._sentence(node, place)
            if sentence.phrase.kind == "action":
                return Do(line, sentence, self._if_possible)
            return self._expect(line, sentence, place)
        if isinstance(node, list):
            return InTurn(line, self.list(node, place))
        if len(node) != 1:
            more = list(node)[1] if node else ""
            raise self._error(
                (*place, more), "a step has one line; begin each with a dash and a space"
            )
        ((key, value),) = node.items()
        return self._block(line, key, value, (*place, key))

    def _block(self, line: int, key: str, value: Node, place: Place) -> Step:
        words = " ".join(key.split())
        try:
            if match := _TIMED.fullmatch(words):
                return self._timed(line, match[1], measure.span(match[2]), value, place)
            if match := _REPEAT.fullmatch(words):
                every = measure.span(match[2]) if match[2] else None
                return Repeat(line, measure.number(match[1]), every, self.list(value, place))
        except WordingError as error:
            raise self._error(place, str(error)) from error
        if words in {"always", "never"}:
            return Rule(line, self._condition(value, place), words == "never")
        if words == "if possible":
            return self._leniently(line, value, place)
        if words in _LISTS:
            return _LISTS[words](line, self.list(value, place))
        known = ", ".join(BLOCKS)
        raise self._error(place, f"{key!r} before a colon is not known; expected one of: {known}")

    def _leniently(self, line: int, value: Node, place: Place) -> Step:
        before, self._if_possible = self._if_possible, True
        try:
            return InTurn(line, self.list(value, place))
        finally:
            self._if_possible = before

    def _timed(self, line: int, word: str, time: measure.Span, value: Node, place: Place) -> Step:
        if word == "at":
            return At(line, time, self.list(value, place))
        within, lasting = (time, None) if word == "within" else (None, time)
        if isinstance(value, list) and value:
            places = [(*place, i) for i in range(len(value))]
            each = [
                self._expect(self._tree.line(at), self._condition(one, at), at, within, lasting)
                for one, at in zip(value, places, strict=True)
            ]
            return Together(line, list(each))
        return self._expect(line, self._condition(value, place), place, within, lasting)

    def _expect(
        self,
        line: int,
        sentence: Sentence,
        place: Place,
        within: measure.Span | None = None,
        lasting: measure.Span | None = None,
    ) -> Expect:
        if sentence.phrase.lasting:
            raise self._error(place, f"say it as `always: {sentence.text}`")
        return Expect(line, sentence, within, lasting)

    def _condition(self, node: Node, place: Place) -> Sentence:
        if not isinstance(node, str):
            raise self._error(place, "expected an expectation in one sentence")
        sentence = self._sentence(node, place)
        if sentence.phrase.kind != "expectation":
            raise self._error(place, f"{node!r} does something; expected an expectation here")
        return sentence

    def _sentence(self, text: str, place: Place) -> Sentence:
        try:
            sentence = understand(text, self._names)
        except WordingError as error:
            raise self._error(place, str(error)) from error
        if "name" in sentence.gaps:
            self._names.aliases.append(sentence.gaps["name"])
        return sentence

    def _error(self, place: Place, problem: str) -> ScenarioFileError:
        return ScenarioFileError(self._tree.file, self._tree.line(place), problem)
