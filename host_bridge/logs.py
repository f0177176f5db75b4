"""The log: one line per event, for people or for machines, without persons and without tags.

What is logged are the host's own sentences. A tag's hash in one is masked all the same, control
characters are replaced, and of an exception only its kind and its place are told: its text may
quote a fact.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

import msgspec

LogFormat = Literal["text", "json"]

_HASH = re.compile(r"[0-9a-fA-F]{32}")


def set_up(form: LogFormat) -> None:
    """Log to the standard error output from now on, uncaught exceptions too."""
    root = logging.getLogger()
    for before in [each for each in root.handlers if isinstance(each.formatter, _Line)]:
        root.removeHandler(before)
    handler = logging.StreamHandler()
    handler.setFormatter(_Line(_AS[form]))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # They say who called what and when, which is nobody's business, or repeat our own errors.
    for chatty in ("httpx", "alembic", "asyncio", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    threading.excepthook = lambda it: _uncaught(it.exc_type, it.exc_value, it.exc_traceback)
    sys.excepthook = _uncaught


def printable(text: str) -> str:
    """Without control characters, which could rewrite a terminal, and without tags' hashes."""
    clean = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return _HASH.sub("(a tag's hash)", clean)


class _Line(logging.Formatter):
    def __init__(self, form: Callable[[dict[str, str]], str]) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": printable(message),
        }
        if record.exc_info and record.exc_info[0]:
            event["error"] = _kind_and_place(record.exc_info[0], record.exc_info[2])
        return self._form(event)


def _as_text(event: dict[str, str]) -> str:
    error = f" [{event['error']}]" if "error" in event else ""
    # The level's place and width as in any other log.
    return f"{event['time']} {event['level'].upper()} {event['logger']}: {event['message']}{error}"


def _as_json(event: dict[str, str]) -> str:
    return msgspec.json.encode(event).decode()


_AS: dict[LogFormat, Callable[[dict[str, str]], str]] = {"text": _as_text, "json": _as_json}


def _kind_and_place(kind: type[BaseException], where: TracebackType | None) -> str:
    frames = traceback.extract_tb(where)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{kind.__name__}{place}"


def _uncaught(
    kind: type[BaseException], error: BaseException | None, where: TracebackType | None
) -> None:
    if error is None or issubclass(kind, (KeyboardInterrupt, SystemExit)):
        return
    logging.getLogger("host_bridge").critical(
        "a defect ended this thread; facts that are not stored are sent again",
        exc_info=(kind, error, where),
    )
