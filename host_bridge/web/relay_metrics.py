"""Figures of the relays, as they write them into the table `workers` every second.

A relay has no port of its own: one address tells of all of them, however many there are, and a
relay that says nothing any more shows by the age of what it said last.
"""

from collections.abc import Iterable, Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.metrics_core import Metric

from host_bridge.store import WorkerRow

FORGOTTEN_MS = 86_400_000
"""A relay that was silent for so long was taken away; it is no longer shown."""


def of_workers(rows: Iterable[WorkerRow], now_ms: int) -> Iterator[Metric]:
    """One line for each relay of the last day."""
    rows = [row for row in rows if now_ms - row.updated_ms < FORGOTTEN_MS]
    silent = _gauge("silent_seconds", "Since when it has said nothing; 10 s are normal at rest.")
    queue = _gauge("queue_messages", "Messages that wait in its inbox.")
    in_flight = _gauge("in_flight_facts", "Received, not yet committed.")
    age = _gauge("last_commit_age_seconds", "How long ago its last commit was, when it said so.")
    reconnects = CounterMetricFamily(
        "chequer_relay_reconnects", "Times that it connected again.", labels=["worker"]
    )
    commits = SummaryMetricFamily(
        "chequer_relay_commit_seconds", "Time that its batches took to commit.", labels=["worker"]
    )
    for row in rows:
        name = [row.worker]
        silent.add_metric(name, max(0, now_ms - row.updated_ms) / 1000)
        queue.add_metric(name, row.queue_depth)
        in_flight.add_metric(name, row.in_flight)
        if row.last_commit_ms is not None:
            age.add_metric(name, max(0, row.updated_ms - row.last_commit_ms) / 1000)
        reconnects.add_metric(name, row.reconnects)
        commits.add_metric(name, row.commits, row.commit_ms / 1000)
    yield from (silent, queue, in_flight, age, reconnects, commits)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"chequer_relay_{name}", text, labels=["worker"])
