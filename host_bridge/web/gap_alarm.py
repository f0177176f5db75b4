"""The alarm for gaps that stay: a line in the log when one does, and when it is filled."""

import logging
from collections.abc import Iterable

from host_bridge.web.models import Gap

_log = logging.getLogger(__name__)


class GapAlarm:
    """Remembers which units it has told of, so that each is told of once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def look(self, gaps: Iterable[Gap]) -> None:
        """Tell what is new since the last look."""
        standing = {gap.unit: gap for gap in gaps if gap.standing}
        for unit in sorted(standing.keys() - self._told):
            gap = standing[unit]
            _log.error(
                "%d facts of unit %s are missing for %d s, %d of them given up by itself; what is "
                "stored is kept; see /fleet, and chequer ledger",
                gap.missing,
                unit,
                gap.age_seconds,
                gap.dropped,
            )
        for unit in sorted(self._told - standing.keys()):
            _log.info("the gap of unit %s is filled or explained", unit)
        self._told = set(standing)
