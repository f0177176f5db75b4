"""Is the host's clock right enough for deleting by it?"""

from datetime import UTC, datetime

from host_bridge.forget.errors import ClockError
from host_bridge.store import Store

AHEAD_MS = 4 * 86_400_000
"""So long after the last deletion another one is believed: a long weekend with everything off. A
clock that jumps ahead by less deletes by as much too early."""

BEHIND_MS = 3_600_000
"""So long before it: what a clock may be set back by."""


def must_be_right(store: Store, site: str, now_ms: int) -> None:
    """See to it that the clock fits to when something was deleted last, or came in first of all.

    Arrivals count only until there was a first deletion: a clock that is wrong dates them too.

    Raises:
        ClockError: it does not fit.
        StoreUnavailableError: the database can't be read.
    """
    runs = store.retention.last_run(site)
    known, what = (runs[0].at_ms, "the last deletion") if runs else (None, "the newest fact")
    if known is None:
        newest = store.facts_after(store.newest() - 1, 1)
        known = newest[0].received_ms if newest else now_ms
    away_ms = now_ms - known
    if -BEHIND_MS <= away_ms <= AHEAD_MS:
        return
    hours, side = abs(away_ms) // 3_600_000, "after" if away_ms > 0 else "before"
    raise ClockError(
        f"The host's clock says {_shown(now_ms)}, {hours} hours {side} {what} ({_shown(known)})"
    )


def _shown(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
