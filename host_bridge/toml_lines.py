"""Where in a TOML file something is. `tomllib` does not say, so it is asked about beginnings."""

import re
import tomllib
from collections.abc import Sequence

Path = Sequence[str | int]
"""Keys and places in lists, from the document's root."""

_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]")


def path_of(words: str) -> list[str | int]:
    """The path in an error of msgspec: it ends in "at `$.site.rooms[0]`", and may name a field."""
    at = re.search(r"at `\$([^`]*)`", words)
    steps: list[str | int] = []
    for key, place in _STEP.findall(at.group(1) if at else ""):
        steps.append(int(place) if place else key)
    unknown = re.search(r"unknown field `([^`]+)`", words)
    return [*steps, unknown.group(1)] if unknown else steps


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, on which the statement begins that puts something at the path.

    The statement is the one that ends the shortest beginning of the file that holds the path.
    Found by halving, so a file of thousands of desks is read some dozen times.

    Args:
        text: TOML that can be read.
        path: what to look for; None is returned when it is not there, or empty.
    """
    lines = text.splitlines(keepends=True)
    if not path or not _holds(text, path):
        return None
    without, holding = 0, len(lines)
    while holding - without > 1:
        middle = (without + holding) // 2
        length = _whole(lines, middle, holding)
        if length == holding:
            holding = _before(lines, middle, without, holding, path)
            break
        if _holds("".join(lines[:length]), path):
            holding = length
        else:
            without = length
    begin = _last_whole(lines, holding - 1)
    while begin < holding and not lines[begin].split("#")[0].strip():
        begin += 1
    return begin + 1


def _before(lines: list[str], middle: int, without: int, holding: int, path: Path) -> int:
    """No beginning between `middle` and `holding` is whole: look below, one by one."""
    for length in range(middle, without, -1):
        found = _read("".join(lines[:length]))
        if found is not None:
            if not _in(found, path):
                return holding
            holding = length
    return holding


def _whole(lines: list[str], length: int, most: int) -> int:
    while length < most and _read("".join(lines[:length])) is None:
        length += 1
    return length


def _last_whole(lines: list[str], length: int) -> int:
    while length and _read("".join(lines[:length])) is None:
        length -= 1
    return length


def _read(text: str) -> object | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _holds(text: str, path: Path) -> bool:
    return _in(_read(text), path)


def _in(found: object, path: Path) -> bool:
    for step in path:
        if isinstance(found, list) and isinstance(step, int):
            found = dict(enumerate(found))
        if not isinstance(found, dict) or step not in found:
            return False
        found = found[step]
    return True
