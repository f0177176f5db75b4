"""Named points at which tests let the process die, as a power cut would.

`CHEQUER_FAULT=relay.after-commit` kills the process (SIGKILL) the first time that it gets there,
`CHEQUER_FAULT=relay.after-commit:3` the third time. Without the variable a point costs one
comparison.
"""

import os
import signal
from collections.abc import Callable

POINTS = (
    "store.in-transaction",
    "relay.before-commit",
    "relay.after-commit",
    "relay.after-puback",
    "relay.before-ack",
    "relay.after-ack",
)
"""Every point there is, in the order in which a fact passes them."""

_name, _, _times = os.environ.get("CHEQUER_FAULT", "").partition(":")
_left = int(_times or 1)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


_die: Callable[[], None] = _kill


def arm(fault: str, die: Callable[[], None] = _kill) -> None:
    """Die as `fault` says ("relay.after-commit:3"; empty: not at all), in the way of `die`."""
    global _name, _left, _die
    _name, _, times = fault.partition(":")
    _left, _die = int(times or 1), die


def reach(point: str) -> None:
    """Say that `point` is reached; the process ends here when it was asked to."""
    global _left  # noqa: PLW0603 (counts down over the whole process)
    if point != _name:
        return
    _left -= 1
    if _left == 0:
        _die()
