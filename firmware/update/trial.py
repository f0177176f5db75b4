"""A new version's trial: it has to run well for a minute, or the unit starts again."""

from port import const, sleep_ms, ticks_diff, ticks_ms

from . import slots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_MS = const(500)
_GOOD_MS = const(60_000)
_LIMIT_MS = const(600_000)


async def watch(
    nvs: "slots.Nvs",
    running: int,
    *,
    good: "Callable[[], bool]",
    reset: "Callable[[], None]",
    good_ms: int = _GOOD_MS,
    limit_ms: int = _LIMIT_MS,
) -> bool:
    """See the version that runs through its trial; returns at once if it is on none.

    A version that runs but never becomes good would be out of reach of the next update, so the
    unit starts again after a while, which takes one boot off the trial.

    Args:
        nvs: The NVS namespace that `slots.start` was given.
        running: The place that runs, as `slots.start` returned it.
        good: Whether all is well now: connected to the host, journal mounted, no task dead.
        reset: Starts the unit again; called when the time is over.
        good_ms: How long all has to be well without a break, in milliseconds.
        limit_ms: When to give up this boot, in milliseconds.

    Returns:
        True if the version has just been confirmed.
    """
    state = slots.State(nvs)
    if not state.trial or state.current != running:
        return False
    begun = since = ticks_ms()
    while ticks_diff(ticks_ms(), begun) < limit_ms:
        await sleep_ms(min(_LOOK_MS, good_ms // 2))
        if not good():
            since = ticks_ms()
        elif ticks_diff(ticks_ms(), since) >= good_ms:
            try:
                return slots.State(nvs).confirm(running)
            except OSError:
                since = ticks_ms()  # NVS did not keep it: once more after another minute
    reset()
    return False
