"""How long verdicts take, as a histogram: no tap is remembered by itself."""

from bisect import bisect_left

LIMITS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5)
"""Seconds: 0.2 is what is promised, 1.5 is when the unit helps itself."""


class Latency:
    """Counts durations in seconds by `LIMITS`."""

    def __init__(self) -> None:
        self.sum = 0.0
        self._counts = [0] * (len(LIMITS) + 1)

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(LIMITS, seconds)] += 1
        self.sum += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """Limit and how many were not longer, in Prometheus' way, "+Inf" at the end."""
        total = 0
        rows: list[tuple[str, float]] = []
        names = [*(str(limit) for limit in LIMITS), "+Inf"]
        for name, count in zip(names, self._counts, strict=True):
            total += count
            rows.append((name, total))
        return rows
