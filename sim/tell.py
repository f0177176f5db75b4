"""Speak to a running unit's control port: one command, one reply."""

import json
import socket
from pathlib import Path
from typing import Any

_PATIENCE_S = 30.0


class TellError(Exception):
    """The unit can't be spoken to. The message says why and what to do."""


def port_of(desk: str, file: Path) -> int:
    """A desk's control port, from the list that a running demo has written.

    Raises:
        TellError: there is no such file, so no demo runs with that folder; or no such desk.
    """
    try:
        found: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TellError(f"{file}: {error.strerror}; start the room first: make run") from error
    if desk not in found:
        raise TellError(f"no desk {desk}; there are {', '.join(sorted(found))}")
    return found[desk]


def tell(port: int, line: str) -> dict[str, Any]:
    """Send one command line to 127.0.0.1:port and return the reply.

    Raises:
        TellError: nobody listens there, or no reply came.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as connection:
            connection.sendall(line.encode() + b"\n")
            reply = connection.makefile("rb").readline()
    except OSError as error:
        raise TellError(f"control port {port}: {error}; is the room still running?") from error
    if not reply:
        raise TellError(f"control port {port} was closed without a reply")
    answer: dict[str, Any] = json.loads(reply)
    return answer
