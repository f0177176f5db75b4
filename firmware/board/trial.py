"""The trial of a version that was updated just now; loaded for that only."""

import sys

from update.trial import watch

_WHY = "update: connected and well for no minute of ten"


async def see_through(unit, hardware) -> None:
    """See the version that runs through its trial.

    Args:
        unit: The `desk_unit.unit.Unit`.
        hardware: Its `board.desk.Hardware`.
    """

    def give_up() -> None:
        hardware.starts.crashed(_WHY)  # the next boot tells the host
        hardware.reset()

    if await watch(hardware.nvs, hardware.running, good=lambda: _is_well(unit), reset=give_up):
        hardware.log("update: the version that runs is confirmed")
    for name in list(sys.modules):
        if name.split(".")[0] == "update" or name == __name__:
            del sys.modules[name]
    delattr(sys.modules["board"], "trial")


def _is_well(unit) -> bool:
    """Whether the host hears this unit, flash keeps its facts, and every task lives.

    No task may be stuck, or have failed since this was asked last. It is no method of the unit's,
    which would stay in memory for the few minutes that need it.
    """
    memory, tasks = unit._memory, unit._watch  # noqa: SLF001
    kept = not (memory.ordinary.fault or memory.button.fault)
    failed = bool(tasks._failures)  # noqa: SLF001 - each was logged
    tasks._failures.clear()  # noqa: SLF001
    return unit._link.connected and kept and not failed and tasks._stuck() is None  # noqa: SLF001
