"""A crash in a hundred characters: what was raised and where, never its message.

A message may hold anything, a card's UID among it; names, files and line numbers hold nothing.
"""

import errno
import sys

from port import const

MOST = const(100)
"""Longest text, in characters."""


def condense(error) -> str:
    """An exception in short: "OSError 19 at drivers/mfrc522.py:88 desk_unit/senses.py:37".

    The innermost place comes first, and outer ones as long as there is room.
    """
    text = type(error).__name__
    if isinstance(error, OSError) and error.args and isinstance(error.args[0], int):
        text += " %d" % error.args[0]
    text = text[:MOST] + " at"
    for place in reversed(places(_traceback(error))):
        if len(text) + len(place) >= MOST:
            break
        text += " " + place
    return text


def said(error) -> str:
    """What an error of the link says, on one line; its name if it says nothing."""
    text = " ".join(str(error).split())
    if text.isdigit():  # MicroPython's OSError says no more than its number
        text = errno.errorcode.get(int(text), text)
    return text or repr(error)


def places(traceback: str) -> list:
    """The "file:line" of each frame of a printed traceback, outermost first.

    A file is named by its last folder and itself. What was compiled without line numbers (see
    scripts/build_firmware.py) says line 1 everywhere: then the function stands for it.
    """
    found = []
    for line in traceback.split("\n"):
        parts = line.strip().split('"')
        if len(parts) < 3 or not parts[0].startswith("File"):
            continue
        number, _, function = parts[2].split("line ")[-1].partition(", in ")
        place = function if number == "1" and function else number
        found.append("%s:%s" % ("/".join(parts[1].split("/")[-2:]), place))
    return found


def _traceback(error) -> str:
    try:
        printer = sys.print_exception
    except AttributeError:
        import traceback  # type: ignore[import-not-found]  # CPython has it

        return "".join(traceback.format_tb(error.__traceback__))
    import io

    text = io.StringIO()
    printer(error, text)
    return text.getvalue()
