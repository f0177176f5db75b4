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

    if await watch(hardware.nvs, hardware.running, good=unit.well, reset=give_up):
        hardware.log("update: the version that runs is confirmed")
    for name in list(sys.modules):
        if name.split(".")[0] == "update" or name == __name__:
            del sys.modules[name]
    delattr(sys.modules["board"], "trial")
