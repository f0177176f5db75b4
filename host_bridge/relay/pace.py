"""How Python shares out the time of a relay's process."""

import gc
import sys

GARBAGE = 50_000
"""New objects after which Python looks for circles of garbage. The relay makes next to none, and
looking every 700 through thousands of messages in hand took a third of its time."""

SWITCH_S = 0.000_5
"""After how long a thread lets another one go on; with 5 ms a commit took a third longer."""


def settle() -> None:
    """Set both, for the whole process."""
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(GARBAGE)
