"""TCP ports of 127.0.0.1 for programs that are about to start."""

import contextlib
import secrets
import socket
from collections.abc import Iterable

_FIRST, _COUNT = 20_000, 12_000
"""Below 32,768, from which on systems take ports for outgoing connections: one of those would be
somebody else's before our own program listens."""


def first_free(ports: Iterable[int]) -> int:
    """The first of the ports on which nobody listens now.

    Raises:
        OSError: somebody listens on each.
    """
    for port in ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As the programs do that will listen: what a closed connection leaves is no listener.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port of 127.0.0.1 is free for it")


def free_port(*usual: int) -> int:
    """The first of the usual ports that is free, else any that is.

    Raises:
        OSError: none is.
    """
    others = secrets.SystemRandom().sample(range(_FIRST, _FIRST + _COUNT), k=100)
    return first_free((*usual, *others))
