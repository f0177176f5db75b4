"""A start: the whole unit, or safe mode after starts that failed; what ends it resets the chip.

Nothing but the record of starts is imported before the decision, so that a program that can't even
be imported is a failed start as any other.
"""

import gc
import sys

import esp32
import machine

from desk_unit.crash import condense
from desk_unit.starts import Starts
from port import const

_WATCHDOG_MS = const(30_000)
_DAY_MS = const(86_400_000)
_READERS = ("config_file", "config", "json_lines")
"""What reads the configuration is needed once: 14 KB on a 64-bit heap, half of that on the chip."""


def run(running=0, trial=False) -> None:
    """Run the unit for ever.

    Without a usable configuration nothing starts, and the prompt is left to whoever provisions.

    Args:
        running: The slot that runs, as `update.slots.start` returned it.
        trial: Whether this version has yet to prove itself.
    """
    starts = Starts(esp32.NVS("chequer"))
    try:
        config = _config()
        if config is None:
            machine.WDT(timeout=_DAY_MS)  # the loader's can't be stopped, only made patient
            return
        # The largest part that is not always needed comes first, while the memory is whole.
        __import__("desk_unit.mqtt" if config.link == "wifi" else "desk_unit.link_serial")
        starts.begin()
        feed = machine.WDT(timeout=_WATCHDOG_MS).feed
        if starts.safe:
            from board.safe import run as go
        else:
            from board.desk import run as go
        go(config, starts, feed, running, trial)
    except Exception as error:
        sys.print_exception(error)
        starts.crashed(condense(error))
    print("chequer: stopped, the chip is reset; facts are kept in flash")
    machine.reset()


def _config():
    from desk_unit import config_file
    from desk_unit.config import ConfigError
    from desk_unit.settings import Settings

    try:
        return Settings(config_file.load())
    except ConfigError as error:
        print("chequer: not started: %s" % error)
        return None
    finally:
        for name in _READERS:
            del sys.modules["desk_unit." + name]
            delattr(sys.modules["desk_unit"], name)
        gc.collect()
