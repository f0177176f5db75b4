"""YAML with line numbers: every scalar stays text, so that nothing is taken for a date or a yes.

Only mappings, sequences and plain text are allowed. Aliases and tags are refused: nobody needs
them for a story, and a file from a stranger can do harm with them.
"""

from pathlib import Path

import yaml

from sim.scenario.errors import ScenarioFileError

Node = str | list["Node"] | dict[str, "Node"]
"""What a file is made of."""

Place = tuple[str | int, ...]
"""A way into the tree: keys and indices."""

LONGEST = 1 << 20
"""Bytes of a file; nobody writes a longer story."""


class Tree:
    """A file's content, and the line on which each part of it begins."""

    def __init__(self, file: Path, root: Node, lines: dict[Place, int]) -> None:
        self.file = file
        self.root = root
        self._lines = lines

    def line(self, place: Place) -> int:
        """The line of a part, or of what surrounds it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)


def load(file: Path) -> Tree:
    """Read a file.

    Raises:
        ScenarioFileError: it can't be read, or is no YAML of the plain kind.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ScenarioFileError(file, 0, f"can't be read: {error.strerror}") from error
    if len(data) > LONGEST:
        raise ScenarioFileError(file, 0, f"has {len(data)} bytes; expected at most {LONGEST}")
    try:
        root = yaml.compose(data, Loader=yaml.SafeLoader)
        if root is None:
            raise ScenarioFileError(file, 1, "is empty; expected a title and steps")
        lines: dict[Place, int] = {}
        return Tree(file, _build(file, root, (), lines, set()), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        hint = ""
        if "mapping values" in str(error.problem):
            hint = '; a sentence with a second ": " needs quotes around it'
        raise ScenarioFileError(file, line, f"is no YAML: {error.problem}{hint}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ScenarioFileError(file, 0, f"is no YAML: {problem}") from error


def _build(
    file: Path, node: yaml.Node, place: Place, lines: dict[Place, int], seen: set[int]
) -> Node:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if id(node) in seen:
        raise ScenarioFileError(file, line, "an alias (*name) is used; write it out instead")
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        text = " ".join(str(node.value).split())
        if not text.isprintable():
            raise ScenarioFileError(file, line, "expected text without odd characters")
        return text
    if isinstance(node, yaml.SequenceNode):
        return [_build(file, each, (*place, i), lines, seen) for i, each in enumerate(node.value)]
    found: dict[str, Node] = {}
    for key, value in node.value:
        at = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ScenarioFileError(file, at, "expected a word before the colon")
        if key.value in found:
            raise ScenarioFileError(file, at, f"{key.value!r} is there twice")
        lines[(*place, key.value)] = at
        found[key.value] = _build(file, value, (*place, key.value), lines, seen)
    return found
