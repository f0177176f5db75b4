"""What an update needs of this board; loaded only for an update, and dropped afterwards."""

import sys

from port import const
from update import slots
from update.head import version_at
from update.manifest import Identity
from update.refusal import Refused
from update.signature import load_key
from update.updater import Updater

KEY = "release.pub"
"""The modulus of the key that signs this unit's updates, put there when it was provisioned."""

_PRODUCT = "desk-unit"
_HARDWARE = const(1)
_ROOT = "/"


def standing(hardware):
    """(step, version): "trial", "back" (a newer version failed its trial), or empty."""
    state = slots.State(hardware.nvs)
    step = ""
    if state.current == hardware.running:
        step = "trial" if state.trial else "back" if state.failed else ""
    return step, _version(hardware) if step else 0


def updater(hardware, fetch):
    """(updater, version): what takes one bundle, and the version that runs.

    Args:
        hardware: A `board.base.Base`.
        fetch: See `update.updater.Updater`.

    Raises:
        Refused: This unit knows no key that it could believe.
    """
    key = _key()
    if key is None:
        raise Refused("signature", "this unit has no key for updates; provision it again")
    version = _version(hardware)
    # The version of .mpy files is the low byte [MicroPython, `sys.implementation`]. The name is a
    # text because it is not ours: a built firmware has other names for the private ones.
    mpy = getattr(sys.implementation, "_mpy", 0) & 0xFF
    unit = Identity(_PRODUCT, _HARDWARE, version, mpy)
    made = Updater(
        root=_ROOT,
        nvs=hardware.nvs,
        running=hardware.running,
        key=key,
        unit=unit,
        fetch=fetch,
    )
    return made, version


def _key():
    try:
        return load_key(_ROOT + KEY)
    except (OSError, ValueError):
        return None


def _version(hardware) -> int:
    return version_at(slots.bundle(_ROOT, hardware.running)) if hardware.running else 0
