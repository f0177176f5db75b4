"""One measurement."""

import math

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, and what it is held against.

    `limit` is what may be reached at the most, or at the least if `more_is_better`; None for a
    figure that nothing is promised about.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How much of the limit is used up: above 1 it is broken."""
        if self.limit is None:
            return None
        return self.limit / self.value if self.more_is_better else self.value / self.limit


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
